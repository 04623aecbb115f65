"""The request table's stream as Lambda hands it over: the audit events in it."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from grant_broker.aws.attributes import plain
from grant_broker.aws.items import record_of
from grant_broker.domain.trail import Event

_LOG = logging.getLogger(__name__)


def read_events(records: Sequence[dict[str, Any]], measure: Callable[[str, float], None]) -> dict[str, Event]:
    """The events by the ids of their records, in order.

    The broker writes none that cannot be read. One that somebody else wrote is counted and left out, so that
    it does not hold up the others; it stays in the table, where `grant-broker audit verify` finds it.
    """
    found = dict[str, Event]()
    for record in records:
        item = record["dynamodb"]["NewImage"]
        try:
            event = record_of(Event, plain(item))
            event.model_dump_json()
        except (ValueError, TypeError):
            _LOG.exception("an event cannot be read: %s %s", item.get("pk"), item.get("sk"))
            measure("UnreadableEvents", 1)
        else:
            found[record["eventID"]] = event
    return found
