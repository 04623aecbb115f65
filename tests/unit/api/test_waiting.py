"""When what is not final yet is worth asking for again."""

from datetime import timedelta

import pytest

from grant_broker.api.waiting import retry_after_of
from grant_broker.domain.lifecycle import Status
from tests.support.records import NOW, before_intent, request


@pytest.mark.parametrize("status", Status)
def test_by_status(status: Status) -> None:
    """Whoever waits for people, for KMS or for an end is told when to ask; nobody else is."""
    seconds = {Status.PENDING: 30, Status.ISSUING: 5, Status.ENDING: 2}.get(status)
    found = before_intent(status) if status in {Status.PENDING, Status.APPROVED} else request(status=status)
    assert retry_after_of(found, NOW) == seconds


@pytest.mark.parametrize(
    ("starts_in", "seconds"), [(1, 1), (1.5, 2), (3600, 3600), (86_400, 3600), (-1, None)]
)
def test_later_start(starts_in: float, seconds: int | None) -> None:
    """An approved request is worth asking for when it may be taken up, at most an hour later."""
    waiting = before_intent(Status.APPROVED).model_copy(
        update={"created_at": NOW - timedelta(days=1), "starts_at": NOW + timedelta(seconds=starts_in)}
    )
    assert retry_after_of(waiting, NOW) == seconds
