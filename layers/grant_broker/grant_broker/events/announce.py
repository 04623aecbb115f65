"""Tell others what happened: EventBridge of every event, the security team of those that matter to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grant_broker.aws.announcements import TOGETHER, EventBus, Mailbox
from grant_broker.domain.mail import mail_about
from grant_broker.domain.trail import Event


@dataclass(frozen=True)
class Notices:
    """The two places that are told."""

    bus: EventBus
    mailbox: Mailbox


def announce(notices: Notices, events: Sequence[Event]) -> int:
    """Publish events in order and mail; how many were done before the first failure.

    At least once: consumers tell a repeat by the event's `id`. Nothing after a failure is started, since
    the stream repeats everything from the first failure on.
    """
    for start in range(0, len(events), TOGETHER):
        group = events[start : start + TOGETHER]
        taken = notices.bus.put(group)
        for offset, (event, published) in enumerate(zip(group, taken, strict=True)):
            if not (published and notices.mailbox.send(mail_about(event))):
                return start + offset
    return len(events)


def replay(bus: EventBus, events: Iterable[Event]) -> tuple[int, list[Event]]:
    """Publish events again, without mails: how many EventBridge took, and those that it did not."""
    sent, failed, group = 0, list[Event](), list[Event]()
    for event in events:
        group.append(event)
        if len(group) == TOGETHER:
            sent, failed, group = *_counted(bus, group, sent, failed), []
    return _counted(bus, group, sent, failed) if group else (sent, failed)


def _counted(bus: EventBus, group: list[Event], sent: int, failed: list[Event]) -> tuple[int, list[Event]]:
    refused = [event for event, taken in zip(group, bus.put(group), strict=True) if not taken]
    return sent + len(group) - len(refused), [*failed, *refused]
