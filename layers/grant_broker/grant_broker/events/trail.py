"""The audit trail as a whole: read it in order of time, take it out, and verify every subject's chain."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from grant_broker.aws.items import item_of, record_of
from grant_broker.aws.store import Store
from grant_broker.broker import Broker
from grant_broker.domain.trail import Breach, Event, Head, verify

# The record at the head of a trail, by the kind of its subject: its sort key. It lives in the request
# table for requests and checks, in the approval table for the others.
_HEADS = {"request": "request", "check": "check", "approval": "approval", "key": "key"}


@dataclass(frozen=True)
class EventPage:
    """Events, oldest first, and where the next page starts; None at the end."""

    events: list[Event]
    after: str | None


class Line(BaseModel):
    """A line of an export: one event, or where the trail of a subject ends by its record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: Event | None = None
    subject: str | None = None
    head: Head | None = None


def events_since(
    broker: Broker, *, since: datetime | None, limit: int, after: str | None = None
) -> EventPage:
    """A page of events from `since` on, oldest first; `after` is a page's own, and wins over `since`.

    From an index, eventually consistent: an event of the last seconds may be missing.
    """
    rows = broker.store.database.rows(**_from(broker.store, start=after or _start(since)), Limit=limit)
    events = [record_of(Event, item) for item in rows.items]
    return EventPage(events, place(events[-1]) if rows.last and events else None)


def events_between(store: Store, since: datetime | None, until: datetime | None) -> Iterator[Event]:
    """All events from `since` up to but without `until`, oldest first; eventually consistent."""
    for item in store.database.query(**_from(store, start=_start(since))):
        event = record_of(Event, item)
        if until and event.at >= until:
            return
        yield event


def place(event: Event) -> str:
    """The place of an event among all events in order of time."""
    return str(item_of(event)["listed_at"]["S"])


def export(store: Store) -> Iterator[Line]:
    """Every subject's trail, read consistently, each followed by its head where there is a record."""
    for subject in sorted(_subjects(store)):
        trail, head = _trail_and_head(store, subject)
        yield from (Line(event=event) for event in trail)
        if head:
            yield Line(subject=subject, head=head)


def breaches(lines: Iterable[Line]) -> Iterator[tuple[str, Breach | None]]:
    """Each subject of an export with the first breach of its trail, None where it is whole."""
    trails: dict[str, list[Event]] = defaultdict(list)
    heads: dict[str, Head] = {}
    for line in lines:
        if line.event:
            trails[line.event.subject].append(line.event)
        elif line.subject and line.head:
            heads[line.subject] = line.head
    for subject in sorted({*trails, *heads}):
        yield subject, verify(subject, trails[subject], heads.get(subject))


def _from(store: Store, *, start: str) -> dict[str, Any]:
    return {
        "TableName": store.tables.request_table,
        "IndexName": "by_kind",
        "condition": "kind = :event AND listed_at > :start",
        "values": {":event": "event", ":start": start},
    }


def _start(since: datetime | None) -> str:
    return f"{int(since.timestamp() * 1000) if since else 0:013d}"


def _subjects(store: Store) -> set[str]:
    # By the requests too: a trail of which every event is gone would not be looked for otherwise.
    return {
        item["pk"]
        for kind in ("event", "request")
        for item in store.database.query(
            TableName=store.tables.request_table,
            IndexName="by_kind",
            condition="kind = :kind",
            values={":kind": kind},
            ProjectionExpression="pk",
        )
    }


def _trail_and_head(store: Store, subject: str) -> tuple[list[Event], Head | None]:
    """Both as of one moment: read again until the head did not move meanwhile."""
    head = _head(store, subject)
    while True:
        trail, before = store.get_trail(subject), head
        if (head := _head(store, subject)) == before:
            return trail, head


def _head(store: Store, subject: str) -> Head | None:
    kind = subject.split("#", maxsplit=1)[0]
    of_request_table = kind in {"request", "check"}
    if kind not in _HEADS or not (of_request_table or store.tables.has_approval_table):
        return None
    table = store.tables.request_table if of_request_table else store.tables.approval_table
    item = store.database.get(table, subject, _HEADS[kind])
    return Head(item["events"], item["last_hash"]) if item else None
