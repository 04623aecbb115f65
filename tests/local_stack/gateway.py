"""API Gateway's part of a call: signature, policies, the proxy event, and its own refusals."""

import base64
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.local_aws.answers import AwsError
from tests.local_aws.cloud import Cloud, Credentials
from tests.local_aws.sigv4 import ExpiredSignatureError, verify
from tests.local_stack.deployment import Deployment
from tests.local_stack.proxy import matched, proxy_event
from tests.local_stack.refusals import Headers, Refusals, Reply
from tests.local_stack.template import API_ID, Route
from tests.local_stack.triggers import api_policy, routes
from tests.local_stack.workers import FailedError

LARGEST_BODY = 10 * 1024 * 1024
# API Gateway takes signatures up to 5 minutes old by what people report; other services take 15.
_SKEW = timedelta(minutes=5)
# Headers that the gateway consumes, and those of a function's answer that it renames or drops.
_CONSUMED = frozenset(["authorization", "connection", "content-length", "transfer-encoding", "expect"])
_DROPPED = frozenset(["content-length", "transfer-encoding", "keep-alive", "upgrade", "te", "trailer"])
_REMAPPED = frozenset(["connection", "date", "server", "host", "www-authenticate", "user-agent"])


@dataclass(frozen=True)
class Gateway:
    """The API of a deployment; `invoke` runs a function (by name) with an event, or raises FailedError.

    `base_path`: where a custom domain's mapping puts the stage, beside the stage's own URL; without slashes
    at its ends, and empty for the domain's root.
    """

    cloud: Cloud
    stage: str
    routes: tuple[Route, ...]
    policy: dict[str, Any]
    refusals: Refusals
    invoke: Callable[[str, dict[str, Any]], Any]
    base_path: str | None = None

    @classmethod
    def of(cls, deployment: Deployment, invoke: Callable[[str, dict[str, Any]], Any]) -> "Gateway":
        """The gateway that the template describes."""
        template = deployment.template
        return cls(
            cloud=deployment.cloud,
            stage=str(template.properties("Api")["StageName"]),
            routes=routes(template),
            policy=api_policy(template),
            refusals=Refusals.of(template),
            invoke=invoke,
        )

    def handle(self, method: str, target: str, headers: Headers, body: bytes) -> Reply:
        """The answer to one HTTP request; `target` is the request line's path and query."""
        if len(body) > LARGEST_BODY:
            return self.refusals.reply("REQUEST_TOO_LARGE", "Request Too Long")
        joined = _joined(headers)
        url = f"http://{joined.get('host', '')}{target}"
        try:
            caller = self._caller(method, url, joined, body)
        except ExpiredSignatureError as error:
            return self.refusals.reply("EXPIRED_TOKEN", error.message)
        except AwsError as error:
            known = error.code == "MissingAuthenticationToken"
            kind = "MISSING_AUTHENTICATION_TOKEN" if known else "INVALID_SIGNATURE"
            return self.refusals.reply(kind, error.message)
        return self._routed(caller, method, url, headers, body)

    def _caller(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Credentials:
        caller, _ = verify(
            method, url, headers, body, find=self.cloud.identity, now=self.cloud.clock(),
            services=frozenset({"execute-api"}), regions=frozenset({self.cloud.region}), skew=_SKEW,
        )  # fmt: skip
        return caller

    def _routed(self, caller: Credentials, method: str, url: str, headers: Headers, body: bytes) -> Reply:
        parts = urlsplit(url)
        base, inner = self._split(parts.path)
        found = matched(self.routes, method, inner)
        if found is None:
            return self.refusals.reply("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        if not self.permits(caller, method, inner):
            return self.refusals.reply("ACCESS_DENIED", "User is not authorized to access this resource")
        route, parameters = found
        event = proxy_event(
            self.cloud.directory, caller, route, inner, parameters=parameters,
            query=parse_qsl(parts.query, keep_blank_values=True),
            headers=[(name, value) for name, value in headers if name.lower() not in _CONSUMED],
            # No binary media types: bytes that are not UTF-8 reach the function as U+FFFD.
            body=body.decode(errors="replace") if body else None,
            stage=self.stage, base=base,
        )  # fmt: skip
        return self._invoked(route.function, event)

    def _split(self, path: str) -> tuple[str, str]:
        """What stands before the API's own path, and that path; both empty where it is not this API's."""
        mapped = [] if self.base_path is None else [f"/{self.base_path}".rstrip("/")]
        for base in (f"/{self.stage}", *mapped):
            if path.startswith(f"{base}/"):
                return base, path[len(base) :]
        return "", ""

    def permits(self, caller: Credentials, method: str, path: str) -> bool:
        """Whether the API's resource policy and the caller's IAM policies let a call through."""
        place = f"{self.cloud.region}:{self.cloud.home}"
        resource = f"arn:aws:execute-api:{place}:{API_ID}/{self.stage}/{method}{path}"
        try:
            self.cloud.authority.require(caller, "execute-api:Invoke", resource, resource_policy=self.policy)
        except AwsError:
            return False
        return True

    def _invoked(self, function: str, event: dict[str, Any]) -> Reply:
        try:
            answer = self.invoke(function, event)
        except FailedError as error:
            timed_out = str(error).startswith("timed out")
            return self.refusals.reply("INTEGRATION_TIMEOUT" if timed_out else "INTEGRATION_FAILURE")
        if not isinstance(answer, dict) or not isinstance(answer.get("statusCode"), int):
            return self.refusals.reply("API_CONFIGURATION_ERROR")
        return _reply(answer)


def _joined(headers: Headers) -> dict[str, str]:
    """By lower-case name; one that is given several times is signed as its values joined."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]},{value}" if key in found else value
    return found


def _reply(answer: Mapping[str, Any]) -> Reply:
    headers = [(name, str(value)) for name, value in (answer.get("headers") or {}).items()]
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        headers = [pair for pair in headers if pair[0].lower() != name.lower()]
        headers += [(name, str(value)) for value in values]
    shown = [
        (f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED else name, value)
        for name, value in headers
        if name.lower() not in _DROPPED
    ]
    if not any(name.lower() == "content-type" for name, _ in shown):
        shown.append(("Content-Type", "application/json"))
    shown.append(("x-amzn-RequestId", str(uuid.uuid4())))
    text = answer.get("body") or ""
    body = base64.b64decode(text) if answer.get("isBase64Encoded") else str(text).encode()
    return answer["statusCode"], shown, body
