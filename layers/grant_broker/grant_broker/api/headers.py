"""The headers that a call may carry for the broker. None of them says who calls."""

import re
from collections.abc import Mapping
from typing import Any

from grant_broker.domain.errors import Fault, InvalidRequest

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?")


def idempotency_key_of(event: Mapping[str, Any]) -> str | None:
    """The Idempotency-Key, 1 to 128 printable ASCII characters, or None; InvalidRequest."""
    headers: Mapping[str, list[str]] = event.get("multiValueHeaders") or {}
    found = [v for name, values in headers.items() if name.lower() == "idempotency-key" for v in values]
    if not found:
        return None
    if len(found) > 1 or not _IDEMPOTENCY_KEY.fullmatch(found[0]):
        raise InvalidRequest(Fault("Idempotency-Key", "give it once, 1 to 128 printable ASCII characters"))
    return found[0]
