"""How much one account may hold open."""

from datetime import UTC, datetime

import pytest

from grant_broker.domain.allowance import Allowance, OpenRequest, Refusal
from grant_broker.domain.lifecycle import Status

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SECOND = int(NOW.timestamp())
ALLOWANCE = Allowance(account=4, grantee=3, pending=2)


def held(*statuses: Status, grantee: str = "a", due: int | None = None) -> list[OpenRequest]:
    """Open requests of one grantee."""
    return [OpenRequest(grantee, status, due) for status in statuses]


def refusal(open_requests: list[OpenRequest], *, waits: bool = True) -> Refusal | None:
    """What one more request for the grantee `a` is told."""
    return ALLOWANCE.refusal(open_requests, grantee="a", waits=waits, now=NOW)


@pytest.mark.parametrize(
    ("open_requests", "waits"),
    [
        ([], True),
        (held(Status.PENDING), True),
        (held(Status.ACTIVE, Status.ENDING), True),
        (held(Status.PENDING, Status.PENDING), False),
        (held(*[Status.ACTIVE] * 3, grantee="b"), True),
    ],
)
def test_below_every_limit_there_is_room(open_requests: list[OpenRequest], waits: bool) -> None:  # noqa: FBT001
    """One more is let in while no limit is reached; the queue's limit is for what would wait for people."""
    assert refusal(open_requests, waits=waits) is None


@pytest.mark.parametrize(
    ("open_requests", "reason"),
    [
        (
            [*held(Status.ACTIVE, Status.ISSUING), *held(Status.APPROVED, Status.ENDING, grantee="b")],
            "your account has 4 open requests, the most allowed",
        ),
        (held(*[Status.ACTIVE] * 3), "the grantee has 3 open requests, the most allowed"),
        (
            held(*[Status.PENDING] * 2, grantee="b"),
            "2 requests of your account wait for a decision, the most allowed",
        ),
    ],
)
def test_each_limit_says_which_it_is(open_requests: list[OpenRequest], reason: str) -> None:
    """At a limit one more is refused, and told which."""
    found = refusal(open_requests)
    assert found is not None
    assert found.reason == reason


@pytest.mark.parametrize(
    ("due", "wait"), [(None, 60), (SECOND - 5, 60), (SECOND + 61, 61), (SECOND + 86_400, 3600)]
)
def test_the_wait_is_until_the_first_of_them_is_due(due: int | None, wait: int) -> None:
    """It is worth trying again when the first lapses or ends: at least a minute, at most an hour on."""
    later = held(Status.ACTIVE, due=None if due is None else due + 9)
    found = refusal([*held(Status.ACTIVE, Status.ACTIVE, due=due), *later])
    assert found is not None
    assert found.retry_after == wait
