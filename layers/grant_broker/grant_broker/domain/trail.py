"""The audit trail: each event carries the hash of the one before it, so that none can be changed or lost."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.times import Time, milliseconds

GENESIS = "0" * 64
"""What stands before the first event of a trail."""


def digest(value: object) -> str:
    """SHA-256, in hexadecimal, of a JSON value in one canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Event(BaseModel):
    """One audit event. `subject` is the partition of what it is about, `sequence` counts from 1 in it."""

    model_config = ConfigDict(frozen=True)

    id: str
    subject: str
    sequence: int
    at: Time
    type: str
    by: str
    request_id: str | None = None
    detail: dict[str, Any] = {}
    previous: str
    hash: str = ""

    def sealed(self) -> Self:
        """The event with its own hash, over everything else in it and the hash before it."""
        return self.model_copy(update={"hash": self.expected_hash()})

    def expected_hash(self) -> str:
        """The hash that an unaltered event carries."""
        return digest(self.model_dump(mode="json", exclude={"hash"}))


class Record(BaseModel, ABC):
    """Something stored whose every change is an event on its own trail.

    `version` counts writes: a writer names the version it read, so that of two writers one wins.
    """

    # A record that cannot be read is reported to a log, which must not see a grant token.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    version: int = 0
    events: int = 0
    last_hash: str = GENESIS

    @property
    @abstractmethod
    def subject(self) -> str:
        """The partition key of the record and of its trail."""

    def changed(self, **changes: Any) -> "ChangeOf[Self]":  # noqa: ANN401 - any field of the record
        """The next version without an event: bookkeeping that is no transition (a back-off, a claim)."""
        return ChangeOf(self.model_copy(update={**changes, "version": self.version + 1}), None)

    def recorded(
        self,
        event_type: str,
        *,
        at: datetime,
        by: str,
        event_id: str,
        detail: dict[str, Any] | None = None,
        **changes: Any,  # noqa: ANN401 - any field of the record
    ) -> "ChangeOf[Self]":
        """The next version together with the event that says what happened."""
        event = Event(
            id=event_id,
            subject=self.subject,
            sequence=self.events + 1,
            at=milliseconds(at),
            type=event_type,
            by=by,
            request_id=self.subject.removeprefix("request#") if self.subject.startswith("request#") else None,
            detail=detail or {},
            previous=self.last_hash,
        ).sealed()
        head = {"version": self.version + 1, "events": event.sequence, "last_hash": event.hash}
        return ChangeOf(self.model_copy(update={**changes, **head}), event)


R_co = TypeVar("R_co", bound=Record, covariant=True)


@dataclass(frozen=True)
class ChangeOf(Generic[R_co]):
    """A record's next version and, where the change is a transition, the event of it: written together."""

    record: R_co
    event: Event | None


Change = ChangeOf[Record]


@dataclass(frozen=True)
class Head:
    """Where a trail ends by the record that it is about: the count of its events and the last hash."""

    events: int
    last_hash: str


@dataclass(frozen=True)
class Breach:
    """The first thing wrong with a trail: `kind` is altered, missing, reordered, forked or truncated."""

    kind: str
    sequence: int
    detail: str


def verify(subject: str, events: Sequence[Event], head: Head | None = None) -> Breach | None:
    """The first breach of one subject's trail, its events in the order they were kept; None if it is whole.

    Without its head a trail cut off at the end cannot be told from a whole one.
    """
    last = GENESIS
    for position, event in enumerate(events, start=1):
        if breach := _breach_at(position, event, subject, last):
            return breach
        last = event.hash
    return _breach_of_head(len(events), last, head) if head else None


def _breach_at(position: int, event: Event, subject: str, last: str) -> Breach | None:
    number = event.sequence
    if event.hash != event.expected_hash() or event.subject != subject:
        return Breach("altered", number, "its content is not what its hash was made of")
    if number == position - 1:
        return Breach("forked", number, "there are two events of this number")
    if number < position:
        return Breach("reordered", number, f"it stands in place {position}")
    if number > position:
        return Breach("missing", position, f"event {number} stands in its place")
    if event.previous != last:
        return Breach("forked", number, "it does not follow the event before it")
    return None


def _breach_of_head(count: int, last: str, head: Head) -> Breach | None:
    if count < head.events:
        return Breach("truncated", count + 1, f"the record counts {head.events} events")
    if (count, last) != (head.events, head.last_hash):
        return Breach("altered", count, "the record does not end with this event")
    return None
