"""People are reminded of deadlines by the pass that is made anyway: once each, and in nobody's way."""

from datetime import timedelta

import pytest

from grant_broker.domain.bookkeeping import claimed, reminded
from grant_broker.domain.errors import Stale
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.records import Stamp
from grant_broker.domain.reminders import find_reminder
from tests.support.records import EXPIRES, NOW, Scene, agenda, before_intent, grant, request, votes


def told(scene: Scene) -> list[str]:
    """The types of the events so far."""
    return [event.type for event in scene.events()]


def at(scene: Scene, **before_the_end: float) -> None:
    """A run so long before the grant's end."""
    scene.now = EXPIRES - timedelta(**before_the_end)
    scene.run(grant())


def test_a_grant_that_ends_soon(scene: Scene) -> None:
    """Between ten minutes and one before its end its holder is told, once; its agenda entry stays."""
    scene.put(request(**agenda(Action.END, EXPIRES)), votes(request()))
    at(scene, minutes=11)
    assert told(scene) == []
    at(scene, minutes=9)
    assert told(scene) == ["expiring_soon"]
    [event] = scene.events()
    assert event.detail["ends_at"] == event.detail["expires_at"] == "2026-03-01T13:30:00Z"
    record = scene.request()
    assert (record.status, record.action, record.due) == (
        Status.ACTIVE,
        Action.END,
        int(EXPIRES.timestamp()),
    )
    at(scene, minutes=4)
    assert told(scene) == ["expiring_soon"]


def test_too_late_to_be_told(scene: Scene) -> None:
    """In its last minute the record is left to `expiry`."""
    scene.put(request(**agenda(Action.END, EXPIRES)), votes(request()))
    at(scene, seconds=59)
    assert told(scene) == []


def test_a_short_grant(scene: Scene) -> None:
    """Who was granted a quarter of an hour knows."""
    short = request(issued_at=EXPIRES - timedelta(minutes=15), **agenda(Action.END, EXPIRES))
    scene.put(short, votes(request()))
    at(scene, minutes=5)
    assert told(scene) == []


def test_a_request_that_lapses_soon(scene: Scene) -> None:
    """In the last quarter of its time, or the last four hours of a long one, its approvers are told once."""
    pending = before_intent(Status.PENDING)
    scene.put(pending)
    assert pending.answer_by is not None
    for hours, events in ((5, []), (3.9, ["answer_due"]), (1, ["answer_due"])):
        scene.now = pending.answer_by - timedelta(hours=hours)
        scene.run()
        assert told(scene) == events
    [event] = scene.events()
    assert event.detail["reason"] == pending.reason
    assert scene.request().due == pending.due
    hour = pending.model_copy(update={"answer_by": pending.created_at + timedelta(hours=1)})
    found = [find_reminder(hour, pending.created_at + timedelta(minutes=each)) for each in (44, 45, 58, 59)]
    assert found == [None, "answer_by", "answer_by", None]


def test_approved_after_it_was_reminded(scene: Scene) -> None:
    """The next deadline is told as well: the mark says which one was."""
    marked = request(reminded_of="answer_by", **agenda(Action.END, EXPIRES))
    scene.put(marked, votes(request()))
    at(scene, minutes=9)
    assert told(scene) == ["expiring_soon"]


@pytest.mark.parametrize("status", [Status.APPROVED, Status.ISSUING, Status.ENDING])
def test_nothing_else_is_told(status: Status) -> None:
    """What waits for its requester, or ends already, has no such deadline."""
    soon = request(status=status, **agenda(Action.END, NOW + timedelta(minutes=5)))
    assert find_reminder(soon, EXPIRES - timedelta(minutes=5)) is None


def test_who_writes_first_wins(scene: Scene) -> None:
    """A reminder is written on the version that was read: after anybody else's write it is not."""
    scene.put(request(**agenda(Action.END, EXPIRES)), votes(request()))
    scene.now = EXPIRES - timedelta(minutes=9)
    stale = scene.request()
    scene.store.commit(claimed(stale, scene.now))
    with pytest.raises(Stale):
        scene.store.commit(reminded(stale, Stamp(scene.now, "reconcile", "late"), "expires_at"))
    assert told(scene) == []


@pytest.mark.parametrize("field", ["issued_at", "answer_by"])
def test_a_record_without_its_time(field: str) -> None:
    """What does not say when, nobody is reminded of."""
    status = Status.PENDING if field == "answer_by" else Status.ACTIVE
    made = before_intent(status) if status == Status.PENDING else request()
    assert find_reminder(made.model_copy(update={field: None}), EXPIRES - timedelta(minutes=5)) is None
