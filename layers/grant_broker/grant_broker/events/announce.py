"""Tell others what happened: EventBridge of every event, the security team of those that matter to it."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from grant_broker.aws.event_bus import Entry, EventBus, batches_of, entry_of
from grant_broker.aws.mails import MailQueue
from grant_broker.domain.errors import EventsRefused
from grant_broker.domain.notices import notice_of
from grant_broker.domain.partner_events import find_account
from grant_broker.domain.trail import Event
from grant_broker.events.directory import Directory
from grant_broker.events.partners import Partners

_LOG = logging.getLogger(__name__)
Deliver = Callable[[Sequence[Event]], list[bool]]
"""Sends events one way; for each, in order, whether it was taken."""
_REMEMBERED = 10_000


class Once:
    """One way of telling, by which an event that was taken does not go a second time.

    The stream repeats everything from the first failure on: without this memory one event that is refused
    would send those after it ten times. It lasts as long as the process; consumers still tell a repeat by
    the event's `id`.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._done: dict[str, None] = {}

    def deliver(self, events: Mapping[str, Event]) -> set[str]:
        """Deliver what was not delivered yet, by the ids of the stream's records; those that failed."""
        left = [record for record in events if record not in self._done]
        taken = self._deliver([events[record] for record in left])
        failed = {record for record, done in zip(left, taken, strict=True) if not done}
        self._done |= dict.fromkeys(record for record in left if record not in failed)
        for record in list(islice(self._done, max(0, len(self._done) - _REMEMBERED))):
            del self._done[record]
        return failed


@dataclass(frozen=True)
class Channels:
    """The ways of telling. None of them waits for another."""

    bus: Once
    mails: Once
    partners: Once

    @classmethod
    def of(cls, bus: EventBus, mails: MailQueue, partners: Partners) -> "Channels":
        """EventBridge, the security team's mails, and the buses of partners' accounts."""
        return cls(
            Once(lambda events: publish(bus, events)),
            Once(lambda events: notify(mails, partners.directory, events)),
            Once(partners.tell),
        )


def announce(channels: Channels, events: Mapping[str, Event]) -> set[str]:
    """Publish events, by the ids of the stream's records, and queue mails; the ids of those to send again.

    Partners come last, and hold up nothing: what their buses do not take is not sent again.
    """
    failed = channels.bus.deliver(events) | channels.mails.deliver(events)
    channels.partners.deliver(events)
    return failed


def publish(bus: EventBus, events: Sequence[Event]) -> list[bool]:
    """Publish events in order; for each, whether it was taken. Ends where EventBridge takes nothing."""
    taken = list[bool]()
    for batch in batches_of(map(entry_of, events)):
        try:
            results = bus.put(batch)
        except EventsRefused as error:
            _LOG.error("EventBridge refused a call: %s", error)
            break
        taken += results
        if not any(results):
            break
    return taken + [False] * (len(events) - len(taken))


def notify(mails: MailQueue, directory: Directory, events: Sequence[Event]) -> list[bool]:
    """Queue what the security team should hear; for each event, whether it is queued, or needs no mail."""
    found = ((place, notice_of(event, _name(directory, event))) for place, event in enumerate(events))
    notices = {place: notice for place, notice in found if notice}
    taken = dict(zip(notices, mails.put(list(notices.values())), strict=True))
    return [taken.get(place, True) for place in range(len(events))]


def _name(directory: Directory, event: Event) -> str | None:
    """What people call the account of an event's request; None where nobody named it, or it is not known."""
    account = find_account(event)
    return directory.find_name(account) if account else None


def replay(bus: EventBus, entries: Iterable[Entry]) -> tuple[int, list[Event]]:
    """Publish events again, without mails: how many EventBridge took, and those that it did not."""
    sent, refused = 0, list[Event]()
    for batch in batches_of(entries):
        results = bus.put(batch)
        sent += sum(results)
        refused += [entry.event for entry, taken in zip(batch, results, strict=True) if not taken]
    return sent, refused
