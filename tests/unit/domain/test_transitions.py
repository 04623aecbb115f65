"""Transitions: which are made from where, and that nothing that is no field or of another type gets in."""

import inspect
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from pydantic import ValidationError

from grant_broker.domain import adoption, bookkeeping, transitions
from grant_broker.domain.bookkeeping import rescheduled
from grant_broker.domain.break_glass import BrokenGlass
from grant_broker.domain.errors import Conflict
from grant_broker.domain.grant_name import grant_name
from grant_broker.domain.lifecycle import LIFE, NEXT, Action, Status
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.preflight import Finding, Known, Preflight
from grant_broker.domain.records import Record, Stamp
from grant_broker.domain.request import GrantRequest, RequestChanges, Transition
from grant_broker.domain.trail import Head
from grant_broker.domain.versions import revise
from grant_broker.domain.votes import Quorum
from tests.support.records import (
    CREATED,
    EXPIRES,
    GRANTEE,
    ID,
    KEY,
    NOW,
    SCOPE,
    before_intent,
    request,
    votes,
)

STAMP = Stamp(NOW + timedelta(microseconds=1500), "alice", "e")
ONE = Quorum(1)
GLASS = BrokenGlass(by=GRANTEE, person="p", reason="outage", at=NOW)
# Every way to another status, by name. `end_as` of the record says what `closed` makes of it.
MADE: dict[str, Callable[[GrantRequest], Transition]] = {
    "glass_broken": lambda r: transitions.glass_broken(r, STAMP, GLASS, duration=60),
    "approved": lambda r: transitions.approved(r, STAMP, votes(r), quorum=ONE, take_up_by=NOW),
    "denied": lambda r: transitions.denied(r, STAMP, votes(r)),
    "withdrawn": lambda r: transitions.withdrawn(r, STAMP),
    "revoked": lambda r: transitions.revoked(r, STAMP, "incident"),
    "lapsed": lambda r: transitions.lapsed(r, STAMP),
    "intended": lambda r: transitions.intended(r, STAMP, "a" * 32, margin=0),
    "activated": lambda r: transitions.activated(r, STAMP, grant_id="g"),
    "refused": lambda r: transitions.refused(r, STAMP, "DisabledException"),
    "never_made": lambda r: transitions.never_made(r, STAMP),
    "ending": lambda r: transitions.ending(r, STAMP, Status.RELEASED, "released"),
    "ending_unfit": lambda r: adoption.ending_unfit(r, STAMP, "over-long", grant_id="g", drift=True),
    "ending_unlisted": lambda r: adoption.ending_unlisted(r, STAMP),
    "closed": lambda r: transitions.closed(r, STAMP),
}
_ANSWER = Finding(answer=Known.UNKNOWN, reason="not asked")
PREFLIGHT = Preflight(
    at=NOW,
    has_access=_ANSWER,
    grantee_accepted=_ANSWER,
    key_usable=_ANSWER,
    can_create=_ANSWER,
    can_end=_ANSWER,
)
LIVE = ListedGrant(
    "g", KEY, grant_name(ID, EXPIRES), GRANTEE, None, SCOPE.operations, SCOPE.constraints, CREATED
)
# Every function that may write an event about a request.
EVENTS: dict[str, Callable[[GrantRequest], Transition | list[Transition]]] = MADE | {
    "submitted": lambda r: transitions.submitted(r, STAMP, PREFLIGHT, waits="nobody"),
    "submitted_as_covered": lambda r: transitions.submitted_as_covered(
        r, STAMP, PREFLIGHT, approval_id="a", take_up_by=NOW, notify="all"
    ),
    "voted": lambda r: transitions.voted(r, STAMP, votes(r), quorum=ONE),
    "activated": lambda r: transitions.activated(r, STAMP, grant_id="g", grant_token=r.grant_token),
    "adopted": lambda r: adoption.adopted(
        LIVE, STAMP, record_id=r.id, longest=1, fault=None, after=Head(0, r.last_hash)
    ),
    "caught_up": lambda r: adoption.caught_up(r, LIVE, lambda: STAMP),
    "alive_after_end": lambda r: adoption.alive_after_end(r, STAMP, "it lives"),
    "end_failed": lambda r: bookkeeping.end_failed(r, STAMP, until=NOW, code="ThrottlingException"),
    "reviewed": lambda r: bookkeeping.reviewed(r, STAMP, "break-glass", "as it should be"),
    "late_duplicate": lambda r: bookkeeping.late_duplicate(r, STAMP, ["g"]),
    "reminded": lambda r: bookkeeping.reminded(r, STAMP, "expires_at"),
}
_END_AS = (None, Status.EXPIRED, Status.REVOKED, Status.RELEASED)


def _made(before: GrantRequest) -> set[Status]:
    found = set()
    for make in MADE.values():
        with suppress(Conflict):
            found.add(make(before).record.status)
    return found


@pytest.mark.parametrize("status", Status)
def test_somebody_makes_each(status: Status) -> None:
    """Every transition of the table is made by a named function, and none that is not in it."""
    found = set().union(*(_made(request(status=status, end_as=end_as)) for end_as in _END_AS))
    assert found == NEXT[status]


def test_event_and_agenda_come_along() -> None:
    """A transition carries its event, its times in milliseconds, and what is to happen next."""
    change = transitions.intended(before_intent(Status.APPROVED, attempts=3), STAMP, "a" * 32, margin=0)
    assert change.event
    assert (change.event.type, change.event.by) == ("issuing", "alice")
    assert change.event.at == change.record.intent_at == NOW + timedelta(milliseconds=1)
    assert (change.record.action, change.record.attempts) == (Action.SETTLE, 0)
    assert change.event.detail["expires_at"].endswith("Z")


def test_a_covered_request_says_in_each_event_what_is_mailed_of_it() -> None:
    """From its submission to its end, so that whoever mails needs nothing but the event."""
    first = transitions.submitted_as_covered(
        before_intent(Status.PENDING),
        STAMP,
        PREFLIGHT,
        approval_id="a" * 32,
        take_up_by=NOW,
        notify="exceptions",
    )
    assert first.event
    assert first.event.detail["notify"] == "exceptions"
    record = first.record
    for make in ("intended", "activated", "ending", "closed"):
        change = MADE[make](record)
        assert change.event
        assert change.event.detail["notify"] == "exceptions", make
        record = change.record


def test_a_request_that_people_decide_says_nothing_of_mails() -> None:
    """All of it is mailed."""
    record = before_intent(Status.APPROVED)
    for make in ("intended", "activated", "ending", "closed"):
        change = MADE[make](record)
        assert change.event
        assert "notify" not in change.event.detail
        record = change.record


def test_a_new_request_says_until_when_it_waits() -> None:
    """Deadline and start are in the event, for mails and whoever listens."""
    waiting = before_intent(Status.PENDING, answer_by=NOW + timedelta(days=3), starts_at=NOW)
    change = transitions.submitted(waiting, STAMP, PREFLIGHT, waits="no standing approval covers it")
    assert change.event
    assert change.event.detail["answer_by"] == "2026-03-04T12:00:00Z"
    assert change.event.detail["starts_at"] == "2026-03-01T12:00:00Z"


def test_no_event_holds_a_grant_token() -> None:
    """Whatever becomes of a request with a token, in every function that may write an event about it."""
    token, told = "AQpAM2RhZ", dict[str, list[str]]()
    for name, make in EVENTS.items():
        for status in Status:
            with suppress(Conflict, ValueError):
                change = make(request(status=status, grant_token=token))
                found = change if isinstance(change, list) else [change]
                told.setdefault(name, []).extend(one.event.model_dump_json() for one in found if one.event)
    assert told.keys() == EVENTS.keys()
    assert all(events for events in told.values())
    assert [name for name, events in told.items() if token in "".join(events)] == []


def test_every_function_that_writes_an_event_of_a_request_is_tried() -> None:
    """A new one that is missing above would not be known to keep the token to itself."""
    named = {
        name
        for module in (transitions, adoption, bookkeeping)
        for name, made in inspect.getmembers(module, inspect.isfunction)
        if made.__module__ == module.__name__
        and not name.startswith("_")
        and "stamp" in " ".join(inspect.signature(made).parameters)
    }
    assert named == EVENTS.keys()


def test_a_misspelt_field_is_refused() -> None:
    """What is no field is refused by mypy (each `ignore` is needed) and, past that, before it is stored."""
    before = before_intent(Status.PENDING)
    with pytest.raises(TypeError, match="take_up_byy"):
        transitions.approved(before, STAMP, votes(before), quorum=ONE, take_up_byy=NOW)  # type: ignore[call-arg]
    misspelt = RequestChanges(take_up_byy=NOW)  # type: ignore[typeddict-unknown-key]
    with pytest.raises(TypeError, match="GrantRequest has no take_up_byy"):
        revise(before, misspelt)


def test_a_value_of_another_type_is_refused() -> None:
    """A duration that is no duration is refused by mypy and, past it, before anything is stored."""
    with pytest.raises(ValidationError, match="ISO 8601"):
        revise(request(), RequestChanges(duration="soon"))  # type: ignore[typeddict-item]


def test_what_was_submitted_stays() -> None:
    """No transition can rewrite what an approver agreed to: the types do not name it."""
    submitted = {"id", "requester_arn", "requester_person", "account", "grantee", "key_arn", "scope"}
    assert not submitted & RequestChanges.__annotations__.keys()
    assert RequestChanges.__annotations__.keys() <= GrantRequest.model_fields.keys()


@pytest.mark.parametrize("status", Status)
def test_back_on_the_agenda(status: Status) -> None:
    """Each status says what is on the agenda in it, and which of the record's times says when."""
    stage = LIFE[status]
    changed = rescheduled(request(status=status, take_up_by=NOW, answer_by=NOW), NOW).record
    if status.final:
        assert (changed.action, changed.due) == (None, None)
    else:
        due = getattr(changed, stage.deadline) if stage.deadline else NOW
        assert (changed.action, changed.due) == (stage.action, int(due.timestamp()))


def test_a_record_needs_a_subject() -> None:
    """What is stored says under which partition."""
    with pytest.raises(TypeError, match="abstract"):
        Record()  # type: ignore[abstract]


def test_a_broken_glass_has_an_event_of_its_own() -> None:
    """Approved by nobody: the event says why, and for how long."""
    change = transitions.glass_broken(before_intent(Status.PENDING), STAMP, GLASS, duration=900)
    assert (change.record.status, change.record.duration, change.record.broken_glass) == (
        Status.APPROVED,
        900,
        GLASS,
    )
    assert change.event
    assert (change.event.type, change.event.detail["emergency"]) == ("break_glass", "outage")
    assert change.event.detail["duration"] == "PT15M"
