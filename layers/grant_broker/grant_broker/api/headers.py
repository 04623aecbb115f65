"""The headers that a call may carry for the broker. None of them says who calls."""

import re
from collections.abc import Mapping
from typing import Any

from grant_broker.domain.errors import Fault, InvalidRequest
from grant_broker.domain.preconditions import ANY, Precondition

_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,64}"')
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?")


def idempotency_key_of(event: Mapping[str, Any]) -> str | None:
    """The Idempotency-Key, 1 to 128 printable ASCII characters, or None; InvalidRequest."""
    found = _values(event, "Idempotency-Key")
    if not found:
        return None
    if len(found) > 1 or not _IDEMPOTENCY_KEY.fullmatch(found[0]):
        raise InvalidRequest(Fault("Idempotency-Key", "give it once, 1 to 128 printable ASCII characters"))
    return found[0]


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def if_match_of(event: Mapping[str, Any]) -> Precondition:
    """The versions that the caller means to change (If-Match); ANY without the header. InvalidRequest.

    A weak ETag matches nothing (RFC 9110): it is left out.
    """
    given = [part.strip() for value in _values(event, "If-Match") for part in value.split(",")]
    if not given:
        return ANY
    if given == ["*"]:
        return Precondition(exists=True)
    if not all(_ETAG.fullmatch(part) for part in given):
        raise InvalidRequest(Fault("If-Match", "give the ETag that you were answered, quotes included"))
    return Precondition(frozenset(part.strip('"') for part in given if not part.startswith("W/")))


def _values(event: Mapping[str, Any], name: str) -> list[str]:
    headers: Mapping[str, list[str]] = event.get("multiValueHeaders") or {}
    return [v for given, values in headers.items() if given.lower() == name.lower() for v in values]
