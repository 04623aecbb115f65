"""The scheduled run: watch the agenda for two minutes and end each grant in its own second."""

import logging
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from grant_broker.aws.agenda import Coming
from grant_broker.domain.agenda import Part
from grant_broker.domain.errors import Unavailable
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.ends import Ends
from grant_broker.expiry.rest import Rest

_LOG = logging.getLogger(__name__)
# Schedules may start up to two minutes apart: each run covers that and a little more.
COVERS = timedelta(seconds=130)
_RESERVE = 10.0  # seconds kept before the time limit: no new look at the agenda
_LAST_START = 8.0  # seconds before the time limit: nothing new is begun, the next run has it
_POLL = 2.0  # seconds between looks at the agenda
_RETRY = 0.5  # seconds until the next look where the database did not answer
_MANY_LISTED = 10  # calls of ListGrants in a second: fewer are not worth a metric's price
END_WORKERS, REST_WORKERS = 8, 4

Pool = Callable[[int], Executor]
"""Makes so many workers."""


@dataclass
class Report:
    """What one run did. `failed` stays on the agenda, each with its own next attempt."""

    done: int = 0
    failed: int = 0
    looked: bool = False


def run(broker: ExpiryBroker, remaining: Callable[[], float], *, pool: Pool = ThreadPoolExecutor) -> Report:
    """Act on what falls due during the next 130 s, ends oldest first and at the configured rate.

    `remaining` says how many seconds are left. A crash leaves every entry on the agenda.
    """
    until = broker.clock() + COVERS

    def may_begin() -> bool:
        return remaining() >= _LAST_START

    with ExitStack() as workers:
        ends = Ends(broker, lambda: workers.enter_context(pool(END_WORKERS)), may_begin)
        rounds, others = workers.enter_context(pool(1)), workers.enter_context(pool(REST_WORKERS))
        rest = Rest(broker, rounds, others, lambda: may_begin() and broker.clock() < until)
        looked = _watch(broker, ends, rest, until, remaining)
        rest.finish()
    ends.collect()
    ends.give_back()
    if (peak := broker.kms.listed.take()) >= _MANY_LISTED:
        broker.measure("ListGrantsInASecond", peak)
    if error := ends.error or rest.error:
        raise error
    return Report(ends.done + rest.done, ends.failed + rest.failed, looked)


def _watch(
    broker: ExpiryBroker, ends: Ends, rest: Rest, until: datetime, remaining: Callable[[], float]
) -> bool:
    """Look at the agenda again and again, and have what is due done; whether any look saw all ends."""
    looked = False
    _move_old_entries(broker, until)
    while broker.clock() < until and remaining() > _RESERVE:
        coming = ends.look(timedelta(seconds=_POLL))
        if coming.complete and not looked:
            # Once a run, and only when all was read: a run that sees nothing must not silence the alarm.
            broker.measure("Heartbeat", 1)
            looked = True
        ends.begin()
        rest.go_on()
        if not coming.entries and coming.complete and _is_idle(broker, ends, rest, until):
            break
        broker.sleep(_pause(broker, coming))
    return looked


def _is_idle(broker: ExpiryBroker, ends: Ends, rest: Rest, until: datetime) -> bool:
    """Whether no grant ends while this run is to last, none can come by that does, and all else is done.

    Whatever the margin of its key, no grant is made for less than the smallest duration.
    """

    def is_quiet() -> bool:
        ahead = broker.store.agenda.read_due(Part.ENDS, int(until.timestamp()), most=1)
        return ahead.complete and not ahead.entries

    if ends.busy or broker.settings.smallest_duration <= COVERS.total_seconds() or not is_quiet():
        return False
    # What is done of the rest may show a grant whose end is near.
    rest.finish()
    return rest.through and is_quiet()


def _move_old_entries(broker: ExpiryBroker, until: datetime) -> None:
    try:
        broker.store.agenda.move_old_entries(int(until.timestamp()))
    except Unavailable:
        _LOG.exception("old entries of the agenda are left to the next run")


def _pause(broker: ExpiryBroker, coming: Coming) -> float:
    """Until the next whole second while there is work, else until the next entry or the next look."""
    now = broker.clock().timestamp()
    longest = min(_POLL, broker.settings.smallest_duration / 2) if coming.complete else _RETRY
    if not coming.entries:
        return longest
    wait = coming.entries[0].due - now
    return max(0.05, min(_POLL, wait)) if wait > 0 else 1.0 - now % 1.0
