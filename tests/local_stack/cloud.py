"""An AWS in this process: moto's services behind verified signatures, with strict KMS grants.

No policy decides a call yet: any caller with a valid signature may do anything the services allow.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

from tests.local_stack.answers import AwsError, Response
from tests.local_stack.identities import Credentials, Directory, Principal
from tests.local_stack.kms.grants import KeyGrants
from tests.local_stack.kms.service import Kms
from tests.local_stack.sigv4 import verify

__all__ = ["AwsCall", "Cloud", "Credentials"]
SERVICES = frozenset(["kms", "dynamodb", "sts", "iam", "events", "sns", "sqs", "monitoring", "logs"])
# moto's backends are one per process and not thread-safe: acknowledged writes vanish without this lock.
LOCK = threading.RLock()


@dataclass(frozen=True)
class AwsCall:
    """One AWS call, as the fault hook sees it."""

    service: str
    operation: str
    parameters: dict[str, Any]
    principal: str


class Cloud:
    """Accounts, principals and services; its state besides moto's is its own."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        region: str = "eu-central-1",
        home: str = "111122223333",
        verify_signatures: bool = True,  # noqa: FBT001, FBT002 - the shared contract names it so
    ) -> None:
        self.clock, self.region, self.home = clock, region, home
        self.directory = Directory()
        self.kms = Kms(self.directory, clock, region)
        self.intercept: Callable[[AwsCall, Callable[[], Response]], Response | None] | None = None
        self._verify, self._moto = verify_signatures, BotocoreStubber()

    def handle(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Response:
        """The answer to any AWS request, its signature's age checked against the clock."""
        return self._handle(method, url, headers, body, now=self.clock())

    def _handle(
        self, method: str, url: str, headers: dict[str, str], body: bytes, now: datetime | None
    ) -> Response:
        try:
            caller, service = self._caller(method, url, headers, body, now)
        except AwsError as error:
            return error.response()
        call = _call(service, headers, body, caller)

        def run() -> Response:
            with LOCK:
                return self._run(call, caller, method, url, headers, body)

        answer = self.intercept(call, run) if self.intercept else None
        return answer if answer is not None else run()

    def _caller(
        self, method: str, url: str, headers: dict[str, str], body: bytes, now: datetime | None
    ) -> tuple[Credentials, str]:
        if self._verify:
            regions = frozenset({self.region, "us-east-1"})
            return verify(
                method, url, headers, body, find=self.identity, now=now, services=SERVICES, regions=regions
            )
        scope = {k.lower(): v for k, v in headers.items()}["authorization"].split("Credential=")[1].split("/")
        caller = self.identity(scope[0])
        if caller is None:
            raise AwsError("UnrecognizedClientException", "The security token is invalid.", 403)
        return caller, scope[3]

    def _run(  # noqa: PLR0917 - one request's parts
        self, call: AwsCall, caller: Credentials, method: str, url: str, headers: dict[str, str], body: bytes
    ) -> Response:
        try:
            answer = (
                self.kms.handle(caller, call.operation, call.parameters) if call.service == "kms" else None
            )
        except AwsError as error:
            return error.response()
        if answer is not None:
            return answer
        account = self._account(call, caller)
        answer = self._forward(call.service, account, method, url, headers, body)
        if call.service == "kms" and call.operation == "CreateKey" and answer[0] == 200:
            self.kms.keys[json.loads(answer[2])["KeyMetadata"]["Arn"]] = KeyGrants()
        return answer

    def _account(self, call: AwsCall, caller: Credentials) -> str:
        key = str(call.parameters.get("KeyId", "")) if call.service == "kms" else ""
        return key.split(":")[4] if key.startswith("arn:") and key.count(":") >= 5 else caller.account

    def _forward(  # noqa: PLR0917 - one request's parts
        self, service: str, account: str, method: str, url: str, headers: dict[str, str], body: bytes
    ) -> Response:
        host = "iam.amazonaws.com" if service == "iam" else f"{service}.{self.region}.amazonaws.com"
        parts = urlsplit(url)
        target = f"https://{host}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
        sent = HTTPHeaders()
        for name, value in headers.items():
            if name.lower() not in ("host", "x-moto-account-id"):
                sent[name] = value
        sent["Host"], sent["x-moto-account-id"] = host, account
        found = self._moto.process_request(
            AWSPreparedRequest(method, target, sent, body, stream_output=False)
        )
        if found is None:
            return AwsError("UnknownOperationException", "No such operation", 404).response()
        status, answered, text = found
        return status, dict(answered), text.encode() if isinstance(text, str) else text

    def session(self, credentials: Credentials) -> boto3.Session:
        """A session whose calls stay in this process. Its signatures' age is not checked: botocore signs
        with the machine's clock, which may differ from this cloud's."""
        made = boto3.Session(
            credentials.access_key_id,
            credentials.secret_access_key,
            credentials.session_token or None,
            self.region,
        )
        # An answer replaces sending; botocore's stubs know only handlers that return nothing.
        made.events.register("before-send", cast("Any", self._answer))
        return made

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        headers = {k: v.decode() if isinstance(v, bytes) else v for k, v in request.headers.items()}
        headers.setdefault("Host", urlsplit(request.url).netloc)
        given: Any = request.body or b""
        body = given.encode() if isinstance(given, str) else bytes(given)
        status, answered, text = self._handle(request.method, request.url, headers, body, now=None)
        return AWSResponse(request.url, status, HTTPHeaders.from_dict(answered), MockRawResponse(text))

    def create_role(
        self, name: str, policies: list[dict[str, Any]], account: str | None = None, path: str = "/"
    ) -> str:
        """A role's ARN."""
        owner = account or self.home
        return self.directory.add(f"arn:aws:iam::{owner}:role{path}{name}", owner, "AROA", policies)

    def create_user(
        self, name: str, policies: list[dict[str, Any]], account: str | None = None
    ) -> Credentials:
        """An IAM user's keys."""
        owner = account or self.home
        arn = self.directory.add(f"arn:aws:iam::{owner}:user/{name}", owner, "AIDA", policies)
        return self.directory.issue(arn, owner, temporary=False)

    def put_role_policies(self, arn: str, policies: list[dict[str, Any]]) -> None:
        """Replace all policies of a role."""
        self.directory.principals[arn].policies[:] = policies

    def delete_role(self, arn: str) -> None:
        """Delete a role; its grants stay, useless."""
        self.directory.delete(arn)

    def session_for(self, role_arn: str, session_name: str) -> Credentials:
        """A role session's keys; the session's ARN drops the role's path, as AWS's does."""
        role: Principal = self.directory.principals[role_arn]
        arn = f"arn:aws:sts::{role.account}:assumed-role/{role_arn.rsplit('/', 1)[1]}/{session_name}"
        return self.directory.issue(arn, role.account, temporary=True)

    def root(self) -> Credentials:
        """The home account's root user."""
        return self.directory.issue(f"arn:aws:iam::{self.home}:root", self.home, temporary=False)

    def identity(self, access_key_id: str) -> Credentials | None:
        """Whose key this is."""
        return self.directory.credentials.get(access_key_id)

    def create_key(self, policy: dict[str, Any], account: str | None = None, **parameters: Any) -> str:
        """A key's ARN."""
        owner = account or self.home
        root = self.directory.issue(f"arn:aws:iam::{owner}:root", owner, temporary=False)
        # moto leaves these out of DescribeKey where they are not given; KMS has them as defaults.
        given = {"KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT"} | parameters
        made = self.session(root).client("kms").create_key(Policy=json.dumps(policy), **given)
        return str(made["KeyMetadata"]["Arn"])

    def put_key_policy(self, key_arn: str, policy: dict[str, Any]) -> None:
        """Replace a key's policy, as its account's root."""
        account = key_arn.split(":")[4]
        root = self.directory.issue(f"arn:aws:iam::{account}:root", account, temporary=False)
        # KMS's default name, which moto wants to be given.
        client = self.session(root).client("kms")
        client.put_key_policy(KeyId=key_arn, PolicyName="default", Policy=json.dumps(policy))

    def grants(self, key_arn: str) -> list[dict[str, Any]]:
        """All grants of a key, as ListGrants shows them."""
        return [self.kms.shown(grant) for grant in list(self.kms.keys[key_arn].by_id.values())]


def _call(service: str, headers: dict[str, str], body: bytes, caller: Credentials) -> AwsCall:
    target = {k.lower(): v for k, v in headers.items()}.get("x-amz-target", "")
    if target:
        return AwsCall(service, target.rpartition(".")[2], json.loads(body or b"{}"), caller.arn)
    form = dict(parse_qsl(body.decode()))
    return AwsCall(service, form.get("Action", ""), form, caller.arn)
