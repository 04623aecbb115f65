"""The hash chain of one subject: each kind of breach is named."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from grant_broker.domain.lifecycle import Status
from grant_broker.domain.records import Stamp
from grant_broker.domain.trail import Event, Head, verify
from grant_broker.domain.versions import record_event
from tests.support.records import before_intent

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SUBJECT = before_intent(Status.PENDING).subject


def trail(count: int = 4, by: str = "alice") -> list[Event]:
    """A whole trail."""
    record, events = before_intent(Status.PENDING, version=0), list[Event]()
    for number in range(count):
        stamp = Stamp(NOW, by, str(number))
        change = record_event(record, "noted", stamp, {"n": number, "x": None}, {})
        assert change.event is not None
        events.append(change.event)
        record = change.record
    return events


def head(events: list[Event]) -> Head:
    """Where these events end."""
    return Head(len(events), events[-1].hash)


def test_whole() -> None:
    """A whole trail has no breach, with or without its head; nor has an empty one."""
    assert verify(SUBJECT, trail(), head(trail())) is None
    assert verify(SUBJECT, trail()) is None
    assert verify(SUBJECT, []) is None


def _swap(events: list[Event]) -> list[Event]:
    return [events[1], events[0], *events[2:]]


@pytest.mark.parametrize(
    ("tamper", "kind", "sequence"),
    [
        (lambda e: [e[0], e[1].model_copy(update={"by": "bob"}), *e[2:]], "altered", 2),
        (lambda e: [*e[:1], *trail(by="bob")[1:]], "forked", 2),
        (lambda e: [e[0], e[1], e[1], *e[2:]], "forked", 2),
        (lambda e: [e[0], *e[2:]], "missing", 2),
        (lambda e: e[1:], "missing", 1),
        (_swap, "missing", 1),
        (lambda e: [*e[:3], e[0], e[3]], "reordered", 1),
        (lambda e: e[:-1], "truncated", 4),
        (lambda _e: [], "truncated", 1),
        (lambda _e: trail(by="bob"), "altered", 4),
        (lambda _e: trail(5), "altered", 5),
    ],
)
def test_breach(tamper: Callable[[list[Event]], list[Event]], kind: str, sequence: int) -> None:
    """What was altered, lost, moved, forked or cut off is named with its place."""
    breach = verify(SUBJECT, tamper(trail()), head(trail()))
    assert breach is not None
    assert (breach.kind, breach.sequence) == (kind, sequence)


def test_moved() -> None:
    """An event of another subject does not pass, even at its right place."""
    breach = verify("request#other", trail())
    assert breach is not None
    assert breach.kind == "altered"
