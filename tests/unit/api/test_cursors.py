"""Cursors: opaque, bound to caller and query, and harmless where they are forged."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from grant_broker.api import cursors
from grant_broker.domain.errors import InvalidRequest
from grant_broker.domain.people import Caller
from grant_broker.keys import access

CALLER = Caller("arn:aws:iam::444455556666:user/alice", "444455556666", "AIDAALICE")
PLACE = "1767225600000#0123456789abcdef"


def bound(caller: Caller = CALLER, route: str = "GET /requests", **query: str) -> str:
    """What a cursor of this caller, route and query is bound to."""
    return cursors.binding(caller, route, query)


# JSON that is no pair of a binding and a place.
NO_PAIRS: tuple[Any, ...] = (None, 1, {}, [], [bound()], [bound(), 1])


def forged(value: Any) -> str:
    """A cursor that nobody gave out."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def test_goes_on() -> None:
    """A cursor says where the list goes on; at the end there is none."""
    assert cursors.read(cursors.write(bound(), PLACE), bound()) == PLACE
    assert cursors.write(bound(), None) is None
    assert cursors.read(None, bound()) is None


@pytest.mark.parametrize("length", range(13, 17))
def test_goes_into_a_url(length: int) -> None:
    """A cursor needs no encoding in a URL, however long its place; padded by somebody, it is still good."""
    place = f"1767225600000#{'a' * length}"
    cursor = str(cursors.write(bound(), place))
    assert quote(cursor, safe="") == cursor
    padding = "=" * (-len(cursor) % 4)
    assert cursors.read(cursor, bound()) == cursors.read(cursor + padding, bound()) == place


def test_sessions() -> None:
    """Sessions of an ordinary role go on in each other's lists; persons of Identity Center do not."""

    def seen_by(role: str, session: str) -> str:
        arn = f"arn:aws:sts::444455556666:assumed-role/{role}/{session}"
        return bound(Caller(arn, "444455556666", "AROAROLE", session))

    assert seen_by("app", "one") == seen_by("app", "two")
    assert seen_by("AWSReservedSSO_Keys_01", "alice") != seen_by("AWSReservedSSO_Keys_01", "bob")


def test_limit_may_change() -> None:
    """The page size is no part of the query, nor is the cursor itself."""
    assert bound(limit="5", cursor="x") == bound()


@pytest.mark.parametrize(
    "other",
    [
        bound(Caller(CALLER.arn, "666677778888", CALLER.unique_id)),
        bound(Caller(CALLER.arn, CALLER.account, "AIDABOB")),
        bound(route="GET /keys"),
        bound(status="active"),
    ],
)
def test_bound(other: str) -> None:
    """A cursor of another caller, list or query is refused."""
    with pytest.raises(InvalidRequest, match="cursor"):
        cursors.read(cursors.write(other, PLACE), bound())


@pytest.mark.parametrize(
    "cursor",
    [
        "", "!", "é", "a", "AAAA", "A" * 2052, "=" * 4, "W10=\n",
        base64.urlsafe_b64encode(b"\xff\xfe").decode(), base64.urlsafe_b64encode(b"[" * 700).decode(),
        *(forged(value) for value in NO_PAIRS),
        *(forged(value) for value in ([bound(), None], [PLACE, bound()])),
        *(forged([bound(), place]) for place in ("x", "1" * 13, f"{PLACE}é", PLACE + "x" * 513)),
        *(forged([bound(), place]) for place in ("", "\ud800", "\x00", "é", [PLACE], {"S": 1})),
        forged([bound(), PLACE, 1]),
    ],
)  # fmt: skip
def test_forged(cursor: str) -> None:
    """Whatever is no cursor is refused, and so is a place that no key of a table can be."""
    with pytest.raises(InvalidRequest, match="cursor"):
        cursors.read(cursor, bound())


def test_marker() -> None:
    """A marker of KMS goes through a cursor as it is, and no text that KMS would refuse."""
    place = access.AccessPlace("ÿ" + "m ~" * 341, report_due=True)
    kept = cursors.read(cursors.write(bound(), place.text), bound(), form=access.PLACE)
    assert access.AccessPlace.read(str(kept)) == place
    among_policies = access.AccessPlace(None, report_due=True, given=40)
    kept = cursors.read(cursors.write(bound(), among_policies.text), bound(), form=access.PLACE)
    assert access.AccessPlace.read(str(kept)) == among_policies
    for text in ("", "due ", "m", "told \x00", "due Ā", "due " + "m" * 1025, "due-policies x"):
        with pytest.raises(InvalidRequest):
            cursors.read(cursors.write(bound(), text), bound(), form=access.PLACE)
