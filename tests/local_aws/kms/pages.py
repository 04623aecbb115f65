"""Pages of grants: markers are opaque and hold for the listing that they came from alone."""

import base64
import hashlib
import hmac
import itertools
import json
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from tests.local_aws.answers import AwsError
from tests.local_aws.kms.access import KmsCall
from tests.local_aws.kms.grants import Grant
from tests.local_aws.kms.listing import Listing
from tests.local_aws.kms.shapes import invalid

_DEFAULT, _MOST = 50, 100
_SECRET = secrets.token_bytes(32)


def page(
    call: KmsCall,
    scope: Sequence[str | None],
    grants: Listing[Grant],
    show: Callable[[Grant], dict[str, Any]],
) -> dict[str, Any]:
    """One page, from the call's Marker on; `scope` is what the marker is bound to."""
    limit = call.parameters.get("Limit", _DEFAULT)
    if limit > _MOST:
        raise invalid("limit", limit, f"Member must have value less than or equal to {_MOST}")
    bound = json.dumps([call.operation, call.caller.account, *scope]).encode()
    start = _place(call.parameters["Marker"], bound) if "Marker" in call.parameters else 0
    found = list(itertools.islice(grants.after(start), limit + 1))
    answer: dict[str, Any] = {
        "Grants": [show(grant) for _, grant in found[:limit]],
        "Truncated": len(found) > limit,
    }
    return answer | ({"NextMarker": _marker(found[limit - 1][0], bound)} if answer["Truncated"] else {})


def _marker(place: int, bound: bytes) -> str:
    position = place.to_bytes(8, "big")
    return base64.urlsafe_b64encode(position + _seal(position, bound)).decode()


def _place(marker: str, bound: bytes) -> int:
    try:
        data = base64.urlsafe_b64decode(marker.encode())
    except ValueError as error:
        raise AwsError("InvalidMarkerException", "The marker is not valid.") from error
    position, seal = data[:8], data[8:]
    if not hmac.compare_digest(seal, _seal(position, bound)):
        raise AwsError("InvalidMarkerException", "The marker is not valid.")
    return int.from_bytes(position, "big")


def _seal(position: bytes, bound: bytes) -> bytes:
    return hmac.digest(_SECRET, hashlib.sha256(bound).digest() + position, "sha256")
