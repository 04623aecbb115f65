"""The audit trail as a whole, in order of time, and which attributes of the table make it up.

Whoever reads the trail reads these and no others: in the same partitions lie the requests with their tokens.
"""

from collections.abc import Iterator
from datetime import datetime

from grant_broker.aws.dynamodb import Query
from grant_broker.aws.items import record_of
from grant_broker.aws.store import Store
from grant_broker.domain.trail import Event

EVENT_NAMES = {f"#{name}": name for name in Event.model_fields}
"""What an event's item is read by; several are words that DynamoDB reserves."""


def events_between(store: Store, since: datetime | None, until: datetime | None) -> Iterator[Event]:
    """All events from `since` up to but without `until`, oldest first; eventually consistent."""
    for item in store.database.query(_from(store, start=_start(since))):
        event = record_of(Event, item)
        if until and event.at >= until:
            return
        yield event


def _from(store: Store, *, start: str) -> Query:
    return Query(
        table=store.tables.request_table,
        index="by_kind",
        condition="kind = :event AND listed_at > :start",
        values={":event": "event", ":start": start},
        projection=", ".join(EVENT_NAMES),
        names=EVENT_NAMES,
    )


def _start(since: datetime | None) -> str:
    return f"{int(since.timestamp() * 1000) if since else 0:013d}"
