"""An AWS in this process: moto's services behind verified signatures and the project's own authorisation."""

import json
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol, cast
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.loaders import Loader, create_loader
from moto.core.botocore_stubber import MockRawResponse

from tests.local_aws import limits
from tests.local_aws.account import AccountServices
from tests.local_aws.actions import Place, needs
from tests.local_aws.answers import AwsError, Response, protocol_of
from tests.local_aws.authority import Authority
from tests.local_aws.cloudformation import CloudFormation
from tests.local_aws.events import Events, names_another_account
from tests.local_aws.functions import Functions
from tests.local_aws.iam import Iam
from tests.local_aws.identities import Credentials, Directory
from tests.local_aws.kms.service import Kms
from tests.local_aws.moto_services import Moto
from tests.local_aws.requests import SERVICES, AwsCall, Request
from tests.local_aws.s3 import S3
from tests.local_aws.second_database import SecondDatabase
from tests.local_aws.sigv4 import scope_of, verify
from tests.local_aws.sts import Sts

__all__ = ["AwsCall", "Cloud", "Credentials"]
# moto's backends are one per process and not thread-safe: acknowledged writes vanish without this lock.
LOCK = threading.RLock()
_WITHOUT_REGION = frozenset({"iam", "sts", "ce"})
ELSEWHERE = "eu-west-1"
"""The Region that has a KMS beside the home Region's, and no other service."""

_MODELS: Loader = create_loader()


class _Own(Protocol):
    """A service that is not moto's."""

    def handle(self, caller: Credentials, operation: str, parameters: dict[str, Any], /) -> Response:
        """The answer to a call. Raises AwsError."""


class Cloud:
    """Accounts, principals and services; its state besides moto's is its own. `stacks`: ARN to outputs.

    All services are in `region`; KMS is in `others` too. `dynamodb` is the endpoint of a DynamoDB to use in
    place of moto's (pytest --dynamodb-endpoint).
    """

    dynamodb: ClassVar[str | None] = None

    def __init__(
        self,
        clock: Callable[[], datetime],
        region: str = "eu-central-1",
        home: str = "111122223333",
        verify_signatures: bool = True,  # noqa: FBT001, FBT002 - the shared contract names it so
        others: Collection[str] = (ELSEWHERE,),
    ) -> None:
        self.clock, self.region, self.home = clock, region, home
        self.directory = Directory(clock)
        self.authority = Authority(self.directory, clock, region)
        self._moto = Moto(region)
        self.kms = Kms(self.authority, clock, region)
        """KMS in the home Region."""
        elsewhere = {other: Authority(self.directory, clock, other) for other in others}
        self.kms_in = {region: self.kms} | {
            other: Kms(authority, clock, other, self.kms.readings) for other, authority in elsewhere.items()
        }
        """KMS in each Region: its keys, their grants, and who may retire which are the Region's own."""
        for kms in self.kms_in.values():
            kms.accesses.update({region: each.access for region, each in self.kms_in.items()})
        self._iam, self._sts = Iam(self.authority), Sts(self.authority)
        self.stacks: dict[str, Mapping[str, str]] = {}
        self.account = AccountServices(self.authority, region)
        self.functions = Functions(self.authority)
        self.s3 = S3(self.authority, clock)
        self._events = Events(self.authority, region)
        self.cloudformation = CloudFormation(self.authority, region, self.stacks)
        self.intercept: Callable[[AwsCall, Callable[[], Response]], Response | None] | None = None
        self.verifies_signatures = verify_signatures
        self._second = SecondDatabase(self.dynamodb, region) if self.dynamodb else None

    def handle(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Response:
        """The answer to any AWS request, its signature's age checked against the clock."""
        return self._handle(method, url, headers, body, now=self.clock())

    def _handle(
        self, method: str, url: str, headers: dict[str, str], body: bytes, now: datetime | None
    ) -> Response:
        protocol = protocol_of({name.lower(): value for name, value in headers.items()})
        try:
            request = Request.read(method, url, headers, body)
            caller, service = self._caller(request, now)
            operation, parameters = request.operation(service)
        except AwsError as error:
            return error.response(protocol)
        call = AwsCall(service, operation, parameters, caller.arn, scope_of(request.headers)[1])

        def run() -> Response:
            # A database in a process of its own needs no lock, and shows races as they are.
            with nullcontext() if self._second and service == "dynamodb" else LOCK:
                return self._run(call, caller, request)

        answer = self.intercept(call, run) if self.intercept else None
        return answer if answer is not None else run()

    def _caller(self, request: Request, now: datetime | None) -> tuple[Credentials, str]:
        access_key, _, service = scope_of(request.headers)
        if self.verifies_signatures:
            regions = {self.region, "us-east-1"} if service in _WITHOUT_REGION else {self.region}
            regions |= set(self.kms_in) if service == "kms" else set()
            return verify(
                request.method,
                request.url,
                request.headers,
                request.body,
                find=self.identity,
                now=now,
                services=SERVICES,
                regions=frozenset(regions),
            )
        caller = self.identity(access_key)
        if caller is None:
            raise AwsError("UnrecognizedClientException", "The security token is invalid.", 403)
        return caller, service

    def _run(self, call: AwsCall, caller: Credentials, request: Request) -> Response:
        try:
            return self._answered(call, caller, request)
        except AwsError as error:
            return error.response(request.protocol)

    def _answered(self, call: AwsCall, caller: Credentials, request: Request) -> Response:
        own: dict[str, _Own] = {
            "kms": self.kms_in.get(call.region, self.kms),
            "iam": self._iam,
            "cloudformation": self.cloudformation,
            "sts": self._sts,
            "lambda": self.functions,
            "s3": self.s3,
        }
        if call.service in own:
            return own[call.service].handle(caller, call.operation, call.parameters)
        if call.service in self.account.services:
            return self.account.handle(caller, call.service, call.operation, call.parameters)
        if call.operation == "PutEvents" and any(
            names_another_account(entry, caller.account) for entry in call.parameters.get("Entries", [])
        ):
            limits.check(call.service, call.operation, call.parameters)
            return self._events.put_elsewhere(caller, call.parameters["Entries"])
        place = Place(caller.account, self.region)
        with LOCK:
            for need in needs(call.service, call.operation, call.parameters, place):
                self.authority.require(caller, need.action, need.resource, need.context)
        limits.check(call.service, call.operation, call.parameters)
        if self._second and call.service == "dynamodb":
            return self._second.forward(request)
        return self._moto.forward(call.service, caller.account, request, call.operation, call.parameters)

    def session(self, credentials: Credentials) -> boto3.Session:
        """A session whose calls stay in this process. Its signatures' age is not checked: botocore signs
        with the machine's clock, which may differ from this cloud's."""
        core = botocore.session.Session()
        # One for all sessions: to parse the service models again would cost each of them a second.
        core.register_component("data_loader", _MODELS)
        made = boto3.Session(
            credentials.access_key_id,
            credentials.secret_access_key,
            credentials.session_token or None,
            self.region,
            botocore_session=core,
        )
        # An answer replaces sending; botocore's stubs know only handlers that return nothing.
        made.events.register("before-send", cast("Any", self._answer))
        return made

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        headers = {"host": urlsplit(request.url).netloc}
        for name, value in request.headers.items():
            headers[name.lower()] = value.decode() if isinstance(value, bytes) else value
        given: Any = request.body or b""
        # What S3 stores botocore reads from a file.
        given = given.read() if hasattr(given, "read") else given
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
        self.directory.principals[arn].replace(policies)

    def delete_role(self, arn: str) -> None:
        """Delete a role; its grants stay, useless."""
        self.directory.delete(arn)

    def session_for(self, role_arn: str, session_name: str) -> Credentials:
        """A role session's keys; the session's ARN drops the role's path, as AWS's does."""
        return self.directory.session(self.directory.principals[role_arn], session_name)

    def root(self) -> Credentials:
        """The home account's root user."""
        return self._root(self.home)

    def _root(self, account: str) -> Credentials:
        return self.directory.issue(f"arn:aws:iam::{account}:root", account, temporary=False)

    def identity(self, access_key_id: str) -> Credentials | None:
        """Whose key this is."""
        return self.directory.credentials.get(access_key_id)

    def create_key(
        self, policy: dict[str, Any], account: str | None = None, region: str | None = None, **parameters: Any
    ) -> str:
        """A key's ARN. The policy may shut everybody out, as a test may want."""
        given = {"BypassPolicyLockoutSafetyCheck": True, "Policy": json.dumps(policy), **parameters}
        root = self.session(self._root(account or self.home))
        made = root.client("kms", region_name=region or self.region).create_key(**given)
        return str(made["KeyMetadata"]["Arn"])

    def put_key_policy(self, key_arn: str, policy: dict[str, Any]) -> None:
        """Replace a key's policy, whatever the old one said."""
        self.kms_of(key_arn).replace_policy(key_arn, policy)

    def grants(self, key_arn: str) -> list[dict[str, Any]]:
        """All grants of a key, as ListGrants shows them."""
        kms = self.kms_of(key_arn)
        return [kms.shown(grant) for grant in list(kms.keys[key_arn].grants.by_id.values())]

    def spread(self, delay: timedelta) -> None:
        """From now on KMS knows of grants, and of their ends, so much later."""
        for kms in self.kms_in.values():
            kms.propagation.of_grants = kms.propagation.of_ends = delay

    @property
    def key_arns(self) -> list[str]:
        """Every key of every Region."""
        return [key_arn for kms in self.kms_in.values() for key_arn in kms.keys]

    def kms_of(self, key_arn: str) -> Kms:
        """KMS in a key's Region."""
        return self.kms_in[key_arn.split(":")[3]]
