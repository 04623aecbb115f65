"""How long a grantee has held without a break, and when people must vote."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grant_broker.domain.continuity import MOST, Holding, Wanted, continuity, pause
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.people import holder
from grant_broker.domain.scope import ContextMatch, Scope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = 3600
CONTEXT = {"tenant": "a"}


def scope(match: str = "equals", **context: str) -> Scope:
    """A scope with this context, `tenant: a` unless told otherwise."""
    return Scope(
        operations=("Encrypt",), encryption_context=context or CONTEXT, context_match=ContextMatch(match)
    )


def held(start: float, end: float, status: Status = Status.EXPIRED, **more: object) -> Holding:
    """A grant from one hour to another, counted from now."""
    begin, over = NOW + timedelta(hours=start), NOW + timedelta(hours=end)
    ended = over if status.final else None
    fields = {"request_id": f"{start}", "scope": scope(), "expires_at": over, "ended_at": ended, **more}
    return Holding(status=status, issued_at=begin, **fields)  # type: ignore[arg-type]


def covered(
    *holdings: Holding, hours: float = 2, longest: float = 8, at: datetime = NOW, of: Scope | None = None
) -> bool:
    """Whether a further grant of so many hours stays within the longest time."""
    wanted = Wanted("new", of or scope(), round(hours * HOUR), at)
    return continuity(holdings, wanted, longest=int(longest * HOUR), now=NOW).covered


def test_first() -> None:
    """Who holds nothing may hold for as long as the key allows, and not a second longer."""
    assert covered(hours=8)
    assert not covered(hours=8 + 1 / HOUR)


def test_run() -> None:
    """Grants that follow or overlap each other are one holding, to the second."""
    run = (held(-6, -3), held(-3, -1), held(-1.5, 1, Status.ACTIVE))
    assert covered(*run, hours=2)
    assert not covered(*run, hours=2 + 1 / HOUR)


def test_break() -> None:
    """A break starts the count anew, wherever it lies."""
    assert covered(held(-20, -1), hours=8)
    assert covered(held(-20, -5), held(-4, 0.5, Status.ACTIVE), hours=4)
    assert not covered(held(-20, -4), held(-4, 0.5, Status.ACTIVE), hours=4)


@pytest.mark.parametrize(
    ("seconds", "is_break"), [(0, False), (1, False), (59.999, False), (60, True), (61, True)]
)
def test_pause(seconds: float, *, is_break: bool) -> None:
    """A pause shorter than a minute is no break."""
    assert covered(held(-7, -seconds / HOUR), hours=2) is is_break


def test_short_pause() -> None:
    """Where the longest time is short, a pause is a break sooner."""
    assert [pause(seconds).total_seconds() for seconds in (1, 10, 300, 1200, 8 * HOUR)] == [
        0.05,
        0.5,
        15,
        60,
        60,
    ]


def test_released() -> None:
    """What was given back early counts until then, not until it would have ended."""
    early = held(-7, 1, Status.RELEASED, ended_at=NOW - timedelta(hours=1))
    assert covered(early, hours=8)
    assert not covered(held(-7, 1, Status.ACTIVE), hours=2)


def test_reaches_back_through_the_released() -> None:
    """A grant that ended early and one made before that are one holding, however they are listed."""
    first = held(-7, 3, Status.RELEASED, ended_at=NOW - timedelta(hours=3))
    second = held(-4, 0.5, Status.ACTIVE)
    assert not covered(first, second, hours=2)
    assert not covered(second, first, hours=2)


def test_status() -> None:
    """What is ending ends now; what is overdue is held still; without an end the plan counts."""
    assert not covered(held(-7, 3, Status.ENDING), hours=2)
    assert covered(held(-7, 3, Status.ENDING), hours=8, at=NOW + timedelta(hours=2))
    assert not covered(held(-7, -1, Status.ACTIVE), hours=2)
    assert not covered(held(-7, 1, Status.ISSUING), hours=2)
    assert covered(held(-7, -1, Status.EXPIRED, ended_at=None), hours=8)


def test_later_start() -> None:
    """For a later start counts what will be held then."""
    start = NOW + timedelta(hours=1)
    assert not covered(held(-7, 1, Status.ACTIVE), hours=2, at=start)
    assert covered(held(-7, 0.5, Status.ACTIVE), hours=8, at=start)


def test_itself() -> None:
    """A request does not count against itself."""
    assert covered(held(-1, 7, Status.ISSUING, request_id="new"), hours=8)


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        (scope(), scope(), True),
        (scope(tenant="b"), scope(), False),
        (scope(tenant="a", day="1"), scope(), False),
        (scope("subset"), scope(tenant="a", day="1"), True),
        (scope(tenant="a", day="1"), scope("subset"), True),
        (scope("subset", tenant="b"), scope(tenant="a", day="1"), False),
        (scope("subset", tenant="a"), scope("subset", day="1"), True),
        (scope("subset", tenant="a"), scope("subset", tenant="b", day="1"), False),
    ],
)
def test_context(before: Scope, now: Scope, *, same: bool) -> None:
    """What counts are grants under which some context would be held on; other contexts do not."""
    assert covered(held(-7, 1, Status.ACTIVE, scope=before), hours=2, of=now) is not same


def test_reason() -> None:
    """The reason says how long it would be held, and how long it may be."""
    found = continuity(
        [held(-7, 1, Status.ACTIVE)], Wanted("new", scope(), 2 * HOUR, NOW), longest=8 * HOUR, now=NOW
    )
    assert found.reason == "held for PT9H without a break; standing approvals cover PT8H"


def test_many() -> None:
    """Who had more grants than can be looked through is for people to judge."""
    old = [held(-20, -19)] * (MOST + 1)
    assert covered(*old[1:])
    assert not covered(*old)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 40)), max_size=12), st.integers(1, 100))
def test_minute_by_minute(spans: list[tuple[int, int]], minutes: int) -> None:
    """The unbroken holding is what counting back minute by minute finds, whatever the grants."""
    taken = {minute for ago, length in spans for minute in range(-ago - length, -ago)}
    back = 0
    while -back - 1 in taken:
        back += 1
    # Every pause is a whole minute or more: a break.
    grants = [held((-ago - length) / 60, -ago / 60) for ago, length in spans]
    wanted, longest = Wanted("new", scope(), minutes * 60, NOW), (back + minutes) * 60
    assert continuity(grants, wanted, longest=longest, now=NOW).covered
    assert not continuity(grants, wanted, longest=longest - 1, now=NOW).covered


@pytest.mark.parametrize(
    ("principal", "who"),
    [
        ("arn:aws:iam::444455556666:role/app/writer", "444455556666:role/writer"),
        ("arn:aws:sts::444455556666:assumed-role/writer/one", "444455556666:role/writer"),
        ("arn:aws:sts::444455556666:assumed-role/writer/two", "444455556666:role/writer"),
        ("arn:aws:iam::444455556666:user/app/writer", "arn:aws:iam::444455556666:user/app/writer"),
        ("unknown", "unknown"),
    ],
)
def test_holder(principal: str, who: str) -> None:
    """Naming another session of the same role holds on; another role or user is somebody else."""
    assert holder(principal) == who
