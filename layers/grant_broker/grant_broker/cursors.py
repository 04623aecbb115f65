"""Cursors: where a list goes on, bound to the caller and the query that it was given for."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import NoReturn

from grant_broker.domain.errors import Fault, InvalidRequest
from grant_broker.domain.people import Caller
from grant_broker.domain.trail import digest

# KMS's own markers, of up to 1,024 characters, are put into cursors.
_LONGEST = 2048


def binding(caller: Caller, route: str, query: Mapping[str, str]) -> str:
    """What a cursor is good for: this caller, this route, this query."""
    asked = {name: value for name, value in query.items() if name not in {"cursor", "limit"}}
    return digest([caller.account, caller.unique_id, route, asked])[:32]


def write(bound: str, place: str | None) -> str | None:
    """The cursor for the items after a place; None at the end."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([bound, place]).encode()).decode()


def read(cursor: str | None, bound: str) -> str | None:
    """The place in a cursor; InvalidRequest where it was not given for this."""
    if cursor is None:
        return None
    if not 0 < len(cursor) <= _LONGEST:
        _refuse()
    try:
        value = json.loads(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        _refuse()
    if not (isinstance(value, list) and len(value) == 2 and value[0] == bound and isinstance(value[1], str)):  # noqa: PLR2004
        _refuse()
    return str(value[1])


def _refuse() -> NoReturn:
    raise InvalidRequest(Fault("cursor", "not a cursor of this list"))
