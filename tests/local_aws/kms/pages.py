"""Pages of listings: markers are opaque and hold for the listing that they came from alone."""

import base64
import hashlib
import hmac
import itertools
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.local_aws.answers import AwsError, broken, invalid
from tests.local_aws.kms.access import KmsCall
from tests.local_aws.kms.grants import Grant
from tests.local_aws.kms.listing import Listing

_Item = TypeVar("_Item")
_SECRET = secrets.token_bytes(32)


@dataclass(frozen=True)
class Limits:
    """How many a page holds where the call does not say, and at most."""

    default: int
    most: int


_OF_GRANTS = Limits(50, 100)


def grant_page(
    call: KmsCall,
    scope: Sequence[str | None],
    grants: Listing[Grant],
    show: Callable[[Grant], dict[str, Any]],
    knows: Callable[[Grant], bool],
) -> dict[str, Any]:
    """One page of grants, from the call's Marker on; `scope` is what the marker is bound to.

    Of those alone that KMS knows of.
    """
    limit, start, bound = _asked(call, _OF_GRANTS, scope)
    known = (entry for entry in grants.after(start) if knows(entry[1]))
    found = list(itertools.islice(known, limit + 1))
    shown = [show(grant) for _, grant in found[:limit]]
    return {"Grants": shown, **_rest(len(found) > limit, found[limit - 1][0] if found[limit:] else 0, bound)}


def page(
    call: KmsCall, name: str, items: Sequence[_Item], limits: Limits, scope: Sequence[str | None] = ()
) -> dict[str, Any]:
    """One page of a listing that is short enough to be made whole, answered under `name`."""
    limit, start, bound = _asked(call, limits, scope)
    end = start + limit
    return {name: items[start:end], **_rest(len(items) > end, end, bound)}


def _asked(call: KmsCall, limits: Limits, scope: Sequence[str | None]) -> tuple[int, int, bytes]:
    limit = call.parameters.get("Limit", limits.default)
    if limit > limits.most:
        raise invalid(broken("limit", limit, f"Member must have value less than or equal to {limits.most}"))
    bound = json.dumps([call.operation, call.caller.account, *scope]).encode()
    start = _place(call.parameters["Marker"], bound) if "Marker" in call.parameters else 0
    return limit, start, bound


def _rest(more: bool, place: int, bound: bytes) -> dict[str, Any]:  # noqa: FBT001 - Truncated itself
    return {"Truncated": more, **({"NextMarker": _marker(place, bound)} if more else {})}


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
