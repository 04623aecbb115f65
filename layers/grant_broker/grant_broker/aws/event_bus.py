"""EventBridge: where audit events are published, as many in one call as it takes."""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.aws.answers import uncertain
from grant_broker.aws.batches import batches
from grant_broker.domain.backoff import backoff
from grant_broker.domain.errors import EventsRefused
from grant_broker.domain.partner_events import PartnerEvent
from grant_broker.domain.trail import Event

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_LOG = logging.getLogger(__name__)
SOURCE = "grant-broker"
MOST = 10
"""Entries of one PutEvents call, at most."""
LARGEST = 256_000
"""Bytes of one PutEvents call, at most. AWS says 256 KB in all: this holds for either kind of KB."""
_TIME = 14  # bytes that EventBridge counts for an entry's Time
_ATTEMPTS = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 1.0  # seconds
_LONGEST_TYPE, _LONGEST_TEXT = 128, 1_000  # characters of a DetailType; of a text in a reduced event
_OMITTED = {"omitted": "larger than EventBridge takes: read the event with GET /security/events"}


@dataclass(frozen=True)
class Entry:
    """One event as PutEvents takes it, and its size in bytes as EventBridge counts it."""

    event: Event
    fields: "PutEventsRequestEntryTypeDef"
    size: int


class EventBus:
    """EventBridge: the account's default bus, or the bus that an entry names."""

    def __init__(self, client: "EventBridgeClient", sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def put(self, batch: Sequence[Entry]) -> list[bool]:
        """Publish one of `batches_of`; for each entry, whether EventBridge took it.

        An entry that was refused is sent again alone, without those that were taken. Raises EventsRefused
        where EventBridge refuses the call itself, such as for a missing right: another attempt is no better.
        """
        waiting = dict(enumerate(batch))
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._sleep(backoff(attempt - 1, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE))
            try:
                answer = self._client.put_events(Entries=[entry.fields for entry in waiting.values()])
            except (ClientError, BotoCoreError) as error:
                if not uncertain(error):
                    raise EventsRefused(str(error)) from error
                # Nothing of the call was taken, and botocore has repeated it already.
                _LOG.error("EventBridge did not take a call: %s", error)
                break
            results = dict(zip(list(waiting), answer["Entries"], strict=True))
            codes = {place: result["ErrorCode"] for place, result in results.items() if "ErrorCode" in result}
            waiting = {place: batch[place] for place in codes}
            if not waiting:
                break
            _LOG.warning("EventBridge refused events: %s", sorted(set(codes.values())))
        return [place not in waiting for place in range(len(batch))]


def batches_of(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries in order, each batch small enough for one PutEvents call."""
    return batches(entries, lambda entry: entry.size, most=MOST, largest=LARGEST)


def partner_entry(event: Event, told: PartnerEvent, bus_arn: str) -> Entry:
    """An event as the bus of its own account is told of it. EventBridge takes the bus by its ARN."""
    entry = _entry_of(event, told.model_dump(mode="json"))
    return replace(entry, fields={**entry.fields, "EventBusName": bus_arn})


def entry_of(event: Event) -> Entry:
    """An event as the default bus is told of it."""
    content = event.model_dump(mode="json")
    entry = _entry_of(event, content)
    # Nothing that the broker writes is half as large, but whoever took a function over may write anything,
    # and one event that EventBridge refuses would hold up all that come after it.
    return entry if entry.size <= LARGEST else _entry_of(event, _reduced(content))


def _entry_of(event: Event, content: dict[str, Any]) -> Entry:
    kind, detail = event.type[:_LONGEST_TYPE], json.dumps(content, ensure_ascii=False)
    size = _TIME + sum(len(text.encode()) for text in (SOURCE, kind, detail))
    return Entry(event, {"Source": SOURCE, "DetailType": kind, "Detail": detail, "Time": event.at}, size)


def _reduced(content: dict[str, Any]) -> dict[str, Any]:
    """Enough to find the event; its hash no longer fits what is shown of it."""
    short = {
        name: value[:_LONGEST_TEXT] if isinstance(value, str) else value for name, value in content.items()
    }
    return {**short, "detail": _OMITTED}
