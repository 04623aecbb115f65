"""One AWS request, read: which operation of which service, with which parameters."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.local_aws import s3_calls
from tests.local_aws.answers import AwsError, Protocol, protocol_of

# Of every service the protocols in which its parameters are read here: no other reaches it.
_PROTOCOLS: dict[str, tuple[Protocol, ...]] = {
    "kms": ("json",),
    "dynamodb": ("json",),
    "events": ("json",),
    "logs": ("json",),
    "sqs": ("json", "query"),
    "sns": ("query",),
    "iam": ("query",),
    "cloudformation": ("query",),
    "sts": ("query",),
    "monitoring": ("cbor", "json", "query"),
    "cloudtrail": ("json",),
    "servicequotas": ("json",),
    "ce": ("json",),
    "lambda": ("json",),
    "s3": ("s3",),
}
_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
SERVICES = frozenset(_PROTOCOLS)


@dataclass(frozen=True)
class AwsCall:
    """One AWS call, as the fault hook sees it."""

    service: str
    operation: str
    parameters: dict[str, Any]
    principal: str
    region: str = ""
    """The Region that the signature names; empty where a test makes the call by itself."""


@dataclass(frozen=True)
class Request:
    """What is sent; `headers` by name in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def read(cls, method: str, url: str, headers: Mapping[str, str], body: bytes) -> "Request":
        """Raises AwsError where the URL is none, or two headers differ only by case: which one counts?"""
        lower = {name.lower(): value for name, value in headers.items()}
        if len(lower) < len(headers):
            raise AwsError("InvalidSignatureException", "A header is given twice", 403)
        try:
            urlsplit(url)
        except ValueError as error:
            raise AwsError("InvalidSignatureException", "The host is none", 403) from error
        return cls(method, url, lower, body)

    @property
    def protocol(self) -> Protocol:
        """The protocol, in which errors are answered too."""
        return "json" if _INVOKE.fullmatch(self.path) else protocol_of(self.headers)

    @property
    def path(self) -> str:
        """The path."""
        return urlsplit(self.url).path or "/"

    def operation(self, service: str) -> tuple[str, dict[str, Any]]:
        """Name and parameters. Raises AwsError."""
        protocol = self.protocol
        if service == "s3":
            return s3_calls.read_call(self.method, self.url, self.headers, self.body)
        if self.method != "POST" or protocol not in _PROTOCOLS[service]:
            raise AwsError("UnknownOperationException", "No such operation", 404)
        if service == "lambda":
            found = _INVOKE.fullmatch(self.path)
            name = unquote(found[1]) if found else ""
            return "Invoke" if found else "", {"FunctionName": name, "Payload": self._json()}
        if protocol == "json":
            return self.headers.get("x-amz-target", "").rpartition(".")[2], self._json()
        if protocol == "cbor":
            # CloudWatch's actions are decided without their parameters.
            return self.path.rpartition("/operation/")[2], {}
        form = self._form()
        return form.get("Action", ""), form

    def _json(self) -> dict[str, Any]:
        try:
            found = json.loads(self.body.decode() or "{}")
        except (ValueError, RecursionError) as error:
            raise AwsError("SerializationException", "The body is not JSON in UTF-8") from error
        if not isinstance(found, dict):
            raise AwsError("SerializationException", "The body is not a JSON object")
        return found

    def _form(self) -> dict[str, Any]:
        try:
            pairs = parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        except ValueError as error:
            raise AwsError("MalformedQueryString", "The body is not a form in UTF-8", 404) from error
        if len(dict(pairs)) < len(pairs):
            raise AwsError("MalformedQueryString", "A parameter is given twice", 404)
        return dict(pairs)
