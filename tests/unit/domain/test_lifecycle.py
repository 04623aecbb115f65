"""The life of a request: the whole table, every pair of states."""

import pytest

from grant_broker.domain.errors import Conflict
from grant_broker.domain.lifecycle import NEXT, Status
from grant_broker.domain.moves import move
from grant_broker.domain.records import Stamp
from tests.support.records import NOW, request

STAMP = Stamp(NOW, "alice", "e")
# Design, "The life of a request": what each status may become.
TABLE = {
    "pending": {"approved", "denied", "withdrawn", "lapsed", "revoked"},
    "approved": {"issuing", "withdrawn", "lapsed", "revoked"},
    "issuing": {"active", "ending", "failed"},
    "active": {"ending", "expired"},
    "ending": {"expired", "revoked", "released"},
    "denied": set(),
    "withdrawn": set(),
    "lapsed": set(),
    "failed": set(),
    "expired": set(),
    "revoked": set(),
    "released": set(),
}


def test_table() -> None:
    """The table is the design's, status for status."""
    assert {str(status): {str(after) for after in follows} for status, follows in NEXT.items()} == TABLE
    assert {str(status) for status in Status} == set(TABLE)


@pytest.mark.parametrize("status", Status)
def test_final(status: Status) -> None:
    """A status is final exactly where nothing follows."""
    assert status.final == (not TABLE[str(status)])


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("after", Status)
def test_transition(status: Status, after: Status) -> None:
    """A transition in the table is made with its event; another is a conflict naming the status."""
    before = request(status=status)
    if str(after) in TABLE[str(status)]:
        change = move(before, after, STAMP, {}, {})
        assert (change.record.status, change.event and change.event.type) == (after, str(after))
    else:
        with pytest.raises(Conflict, match=f"the request is {status}$"):
            move(before, after, STAMP, {}, {})
