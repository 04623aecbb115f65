"""The audit trail: each event carries the hash of the one before it, so that none can be changed or lost."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias

from pydantic import ConfigDict, Field

from grant_broker.domain.stored import Stored, Table, listed_at
from grant_broker.domain.times import Time

Json: TypeAlias = dict[str, Any]
"""A JSON object: what an event tells apart from who, when and about what."""
GENESIS = "0" * 64
"""What stands before the first event of a trail."""


def digest(value: object) -> str:
    """SHA-256, in hexadecimal, of a JSON value in one canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Event(Stored):
    """One audit event. `subject` is the partition of what it is about, `sequence` counts from 1 in it."""

    model_config = ConfigDict(frozen=True)

    TABLE: ClassVar = Table.REQUESTS

    id: str
    subject: str
    sequence: int
    at: Time
    type: str
    by: str
    request_id: str | None = None
    detail: Json = Field(default_factory=dict)
    previous: str
    hash: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """In its subject's partition, by its number."""
        return self.subject, f"event#{self.sequence:06d}"

    @property
    def place(self) -> str:
        """Its place among all events in order of time."""
        return listed_at(self.at, f"{self.subject}#{self.sequence:06d}")

    @property
    def indexed(self) -> dict[str, object]:
        """What only indexes need."""
        return {"kind": "event", "listed_at": self.place}

    def sealed(self) -> Self:
        """The event with its own hash, over everything else in it and the hash before it."""
        return self.model_copy(update={"hash": self.expected_hash()})

    def expected_hash(self) -> str:
        """The hash that an unaltered event carries."""
        return digest(self.model_dump(mode="json", exclude={"hash"}))


class Head(NamedTuple):
    """Where a trail ends by the record that it is about: the count of its events and the last hash."""

    events: int
    last_hash: str


class Breach(NamedTuple):
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
