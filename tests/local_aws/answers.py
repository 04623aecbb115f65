"""AWS's answers and errors in the protocols that its clients speak."""

import json
from collections.abc import Mapping
from typing import Any, Literal
from xml.sax.saxutils import escape

Response = tuple[int, dict[str, str], bytes]
Protocol = Literal["json", "query", "cbor", "s3"]

# The JSON services' common errors have other names where the query protocol is spoken.
_QUERY_CODES = {
    "AccessDeniedException": "AccessDenied",
    "IncompleteSignatureException": "IncompleteSignature",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "UnrecognizedClientException": "InvalidClientTokenId",
}
_JSON_CODES = {"MissingAuthenticationToken": "MissingAuthenticationTokenException"}
_ID = "00000000-0000-4000-8000-000000000000"


class AwsError(Exception):
    """A refusal, with AWS's error code and the HTTP status it comes with."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status

    def response(self, protocol: Protocol = "json") -> Response:
        """The error as the caller's protocol has it."""
        if protocol == "s3":
            return _s3_error(self.code, self.message, self.status)
        if protocol == "query":
            return _query_error(_QUERY_CODES.get(self.code, self.code), self.message, self.status)
        if protocol == "cbor":
            # A map of two texts.
            body = b"\xa2" + b"".join(map(_cbor_text, ("__type", self.code, "message", self.message)))
            return self.status, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, body
        code = _JSON_CODES.get(self.code, self.code)
        body = json.dumps({"__type": code, "message": self.message}).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
        return self.status, headers, body


def broken(path: str, value: object, constraint: str) -> str:
    """AWS's words for a member that breaks a constraint; a value of None is one that is not shown."""
    shown = "Value" if value is None else f"Value '{value}'"
    return f"{shown} at '{path}' failed to satisfy constraint: {constraint}"


def missing(path: str) -> str:
    """AWS's words for a member that is not there."""
    return f"Value null at '{path}' failed to satisfy constraint: Member must not be null"


def invalid(*faults: str, code: str = "ValidationException") -> AwsError:
    """AWS's error for members that are missing or break their constraints: it names them all."""
    count = "1 validation error" if len(faults) == 1 else f"{len(faults)} validation errors"
    return AwsError(code, f"{count} detected: {'; '.join(faults)}")


def protocol_of(headers: Mapping[str, str]) -> Protocol:
    """The protocol of a request; `headers` by name in lower case."""
    if "/s3/aws4_request" in headers.get("authorization", ""):
        return "s3"
    if headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    return "json" if "x-amz-target" in headers or "json" in headers.get("content-type", "") else "query"


def ok(answer: Mapping[str, Any]) -> Response:
    """A JSON protocol answer with status 200."""
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()


def query_ok(operation: str, result: Mapping[str, Any]) -> Response:
    """A query protocol answer with status 200."""
    inner = f"<{operation}Result>{_xml(result)}</{operation}Result>"
    metadata = f"<ResponseMetadata><RequestId>{_ID}</RequestId></ResponseMetadata>"
    text = f"<{operation}Response>{inner}{metadata}</{operation}Response>"
    return 200, {"Content-Type": "text/xml"}, text.encode()


def _query_error(code: str, message: str, status: int) -> Response:
    # The query services answer 403 where the JSON ones answer 400.
    status = 403 if code in _QUERY_CODES.values() else status
    error = f"<Error><Type>Sender</Type>{_xml({'Code': code, 'Message': message})}</Error>"
    text = f"<ErrorResponse>{error}<RequestId>{_ID}</RequestId></ErrorResponse>"
    return status, {"Content-Type": "text/xml"}, text.encode()


def _s3_error(code: str, message: str, status: int) -> Response:
    code = _QUERY_CODES.get(code, code)
    text = f"<Error>{_xml({'Code': code, 'Message': message})}</Error>"
    status = 403 if code in _QUERY_CODES.values() else status
    return status, {"Content-Type": "application/xml"}, text.encode()


def _xml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_xml(each)}</{name}>" for name, each in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(each)}</member>" for each in value)
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


def _cbor_text(text: str) -> bytes:
    data = text.encode()
    return b"\x79" + len(data).to_bytes(2, "big") + data
