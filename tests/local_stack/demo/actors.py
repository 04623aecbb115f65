"""Who acts in the demo: signed calls of the API and of AWS, each a line of the timeline."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_aws.clients import client_of
from tests.local_aws.cloud import Credentials
from tests.local_stack.client import Answer, Client
from tests.local_stack.demo.timeline import Surprise, Timeline
from tests.local_stack.stack import Stack

CONTEXT = {"dataset": "orders"}
DENIED = "AccessDeniedException"
_PATIENCE = 15.0


@dataclass
class Actors:
    """The stack, over HTTP only, and the timeline."""

    stack: Stack
    timeline: Timeline
    _session: boto3.Session = field(default_factory=boto3.Session)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The founding scenario's key."""
        return self.stack.deployment.keys["partner_data"]

    def grantee(self, person: str) -> str:
        """The role ARN to name in a request."""
        return str(self.stack.deployment.people[person].grantee)

    def role(self, function: str) -> str:
        """A function's role."""
        return self.stack.deployment.functions[function].role

    def api(self, who: str, method: str, path: str, body: Any = None, *, expect: str) -> Answer:
        """One call of the API; `expect` is the status with the request's status or the problem's code."""
        answer = self.stack.client(who).call(method, path, body)
        came = _came(answer)
        what = f"{method} {_shortened(path)}" + (f" {body['verdict']}" if body and "verdict" in body else "")
        self.timeline.call(who, what, came=came, expected=expect, refusal=answer.status >= 400)
        return answer

    def kms(self, who: str, operation: str, *, expect: str = "allowed", **parameters: Any) -> dict[str, Any]:
        """One KMS call as a person, or as a function's role (`role:NAME`); `expect` is an error's code."""
        return self.aws(who, "kms", operation, expect=expect, **parameters)

    def aws(
        self,
        who: str,
        service: str,
        operation: str,
        *,
        expect: str = "allowed",
        told: str = "",
        **parameters: Any,
    ) -> dict[str, Any]:
        """One call of AWS, told in its own words or those given."""
        came, answer = self.tried(who, service, operation, **parameters)
        what = told or _words(f"{service}:{operation}", parameters)
        self.timeline.call(who, what, came=came, expected=expect, refusal=came != "allowed")
        return answer

    def tried(self, who: str, service: str, operation: str, **parameters: Any) -> tuple[str, dict[str, Any]]:
        """A call's outcome, not told."""
        try:
            return "allowed", getattr(self.client(who, service), xform_name(operation))(**parameters)
        except ClientError as error:
            return str(error.response["Error"]["Code"]), {}

    def client(self, who: str, service: str) -> Any:
        """A client of AWS with somebody's credentials, made once; `kms@REGION` is KMS of another Region."""
        if (who, service) not in self._clients:
            self._clients[who, service] = self._client(who, service)
        return self._clients[who, service]

    def _client(self, who: str, service: str) -> Any:
        keys, (name, _, region) = self._credentials(who), service.partition("@")
        config = Config(proxies={}, retries={"total_max_attempts": 1})
        return client_of(
            self._session,
            name,
            region_name=region or self.stack.deployment.cloud.region,
            endpoint_url=self.stack.aws_url,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token or None,
            config=config,
        )

    def _credentials(self, who: str) -> Credentials:
        kind, _, function = who.partition(":")
        deployment = self.stack.deployment
        return deployment.credentials(function) if kind == "role" else deployment.people[who].credentials

    def until(self, reached: Callable[[], bool], what: str) -> float:
        """Seconds until something holds; Surprise where it does not in time."""
        began = time.monotonic()
        while not reached():
            if time.monotonic() - began > _PATIENCE:
                raise Surprise(f"{what}: not within {_PATIENCE:.0f} s")
            time.sleep(0.02)
        return time.monotonic() - began

    def forged(self) -> Client:
        """The partner's key id with a secret of somebody's own invention."""
        real = self.stack.client("partner")
        who = real.credentials
        return Client(
            real.url,
            real.region,
            Credentials(who.arn, who.account, who.access_key_id, "guessed", who.session_token),
        )


def _came(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    return f"{answer.status} {body.get('code') or body.get('status') or ''}".strip()


def _shortened(path: str) -> str:
    """A path with its ids cut: the first eight characters tell them apart."""
    return "/".join(part[:8] + "…" if len(part) > 20 else part for part in path.split("/"))


def _words(operation: str, parameters: dict[str, Any]) -> str:
    told = []
    if "EncryptionContext" in parameters:
        told.append(json.dumps(parameters["EncryptionContext"]).replace('"', ""))
    return " ".join([operation, *told, *parameters.get("Operations", [])])
