"""Cursors: where a list goes on, bound to the caller and the query that it was given for."""

import base64
import json
import re
from collections.abc import Mapping

from grant_broker.domain.errors import Fault, InvalidRequest
from grant_broker.domain.people import Caller, looks_like_identity_center
from grant_broker.domain.trail import digest

# KMS's own markers, of up to 1,024 characters, are put into cursors.
_LONGEST = 2048
LISTED = re.compile(r"[0-9-]{13,15}#[\x20-\x7e]{1,512}")
"""A place in a list of the tables: a time in milliseconds, and what stands there."""


def binding(caller: Caller, route: str, query: Mapping[str, str]) -> str:
    """What a cursor is good for: this caller, this route, this query.

    Sessions of an ordinary role are one caller, so that a list goes on in the next one. Of a role named as
    Identity Center names its own, each session name may be somebody else.
    """
    session = caller.session if looks_like_identity_center(caller.arn) else None
    asked = {name: value for name, value in query.items() if name not in {"cursor", "limit"}}
    return digest([caller.account, caller.unique_id, session, route, asked])[:32]


def write(bound: str, place: str | None) -> str | None:
    """The cursor for the items after a place; None at the end."""
    if place is None:
        return None
    # Without padding: a cursor goes into a URL as it is.
    return base64.urlsafe_b64encode(json.dumps([bound, place]).encode()).decode().rstrip("=")


def read(cursor: str | None, bound: str, *, form: re.Pattern[str] = LISTED) -> str | None:
    """The place in a cursor; InvalidRequest where it was not given for this."""
    if cursor is None:
        return None
    if not 0 < len(cursor) <= _LONGEST:
        raise _refused()
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        value = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        raise _refused() from error
    # A cursor is no secret: a forged place may move within the caller's own list, and must not reach AWS
    # as something that no key or marker can be.
    match value:
        case [str(given), str(place)] if given == bound and form.fullmatch(place):
            return place
    raise _refused()


def _refused() -> InvalidRequest:
    return InvalidRequest(Fault("cursor", "not a cursor of this list"))
