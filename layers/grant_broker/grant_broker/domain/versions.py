"""How a record gets its next version. For the records' own transitions alone: an import contract says so."""

from collections.abc import Mapping
from typing import TypeVar

from grant_broker.domain.records import ChangeOf, Record, Stamp
from grant_broker.domain.trail import Event, Json

R = TypeVar("R", bound=Record)


def revise(record: R, changes: Mapping[str, object]) -> ChangeOf[R]:
    """The next version without an event: bookkeeping that is no transition, such as a claim or a back-off."""
    return ChangeOf(_next(record, changes), None)


def record_event(
    record: R,
    event_type: str,
    stamp: Stamp,
    detail: Json,
    changes: Mapping[str, object],
    *,
    drift: bool = False,
) -> ChangeOf[R]:
    """The next version together with the event that says what happened."""
    told = {**detail, **record.in_every_event}
    event = Event(
        id=stamp.event_id,
        subject=record.subject,
        sequence=record.events + 1,
        at=stamp.at,
        type=event_type,
        by=stamp.by,
        request_id=record.subject.removeprefix("request#") if record.subject.startswith("request#") else None,
        detail={**told, "drift": True} if drift else told,
        previous=record.last_hash,
    ).sealed()
    head = {"events": event.sequence, "last_hash": event.hash}
    return ChangeOf(_next(record, {**changes, **head}), event, drift)


def _next(record: R, changes: Mapping[str, object]) -> R:
    # A name that is no field would be lost in storage without a word; a value of another type would only
    # be found when somebody reads the item. Both end here, before anything is written.
    if unknown := changes.keys() - type(record).model_fields.keys():
        raise TypeError(f"{type(record).__name__} has no {', '.join(sorted(unknown))}")
    return type(record).model_validate({**dict(record), **changes, "version": record.version + 1})
