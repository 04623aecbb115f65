"""Note that grants are used, by CloudTrail's events of KMS, batch by batch."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from grant_broker.aws.usages import Usages
from grant_broker.domain.errors import Stale
from grant_broker.domain.usage import KeyCall, attribute
from grant_broker.events.cloudtrail import read_calls

_LOG = logging.getLogger(__name__)


def note_usage(usages: Usages, bodies: Sequence[str], now: Callable[[], datetime]) -> int:
    """Note whose grants a batch of messages shows in use; how many requests' usage was written.

    Raises Unavailable where DynamoDB does not answer: the batch comes again, and counts no call twice.
    """
    calls = defaultdict[str, list[KeyCall]](list)
    for call in _read(bodies):
        calls[call.account].append(call)
    return sum(_note(usages, account, made, now()) for account, made in calls.items())


def _note(usages: Usages, account: str, calls: Iterable[KeyCall], now: datetime) -> int:
    sightings = attribute(calls, usages.list_candidates(account))
    written = 0
    for name, before in usages.find_all(sightings).items():
        if after := before.after(sightings[name], now):
            try:
                usages.put(after, before=before)
                written += 1
            except Stale:
                # Another process has seen it used just now, which says as much.
                _LOG.info("usage was written by another process", extra={"request": name})
    return written


def _read(bodies: Iterable[str]) -> Iterator[KeyCall]:
    """The calls in messages. One that cannot be read is told to the log: it would come again for a day."""
    for body in bodies:
        try:
            yield from read_calls(body)
        except ValueError:
            _LOG.exception("an event of the usage queue cannot be read")
