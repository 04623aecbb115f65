"""The audit trail as a whole, in order of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grant_broker.aws.items import item_of, record_of
from grant_broker.aws.store import Store
from grant_broker.broker import Broker
from grant_broker.domain.trail import Event


@dataclass(frozen=True)
class EventPage:
    """Events, oldest first, and where the next page starts; None at the end."""

    events: list[Event]
    after: str | None


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


def _from(store: Store, *, start: str) -> dict[str, Any]:
    return {
        "TableName": store.tables.request_table,
        "IndexName": "by_kind",
        "condition": "kind = :event AND listed_at > :start",
        "values": {":event": "event", ":start": start},
    }


def _start(since: datetime | None) -> str:
    return f"{int(since.timestamp() * 1000) if since else 0:013d}"
