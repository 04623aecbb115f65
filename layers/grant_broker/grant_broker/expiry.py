"""The scheduled run: watch the agenda for two minutes and act on each entry in its own second."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from grant_broker.broker import Broker
from grant_broker.domain.errors import BrokerError
from grant_broker.ending import act

_LOG = logging.getLogger(__name__)
# Schedules may start up to two minutes apart: each run covers that and a little more.
COVERS = timedelta(seconds=130)
_RESERVE = 10.0  # seconds kept before the time limit
_PAGE = 500
_POLL = 2.0  # seconds between looks at the agenda
_BACKLOG = 2  # seconds' worth of ends beyond which RevokeGrant's own quota is used as well


@dataclass
class Report:
    """What one run did. `failed` stays on the agenda, each with its own next attempt."""

    done: int = 0
    failed: int = 0


def run(broker: Broker, remaining: Callable[[], float], *, workers: int = 8) -> Report:
    """Act on what falls due during the next 130 s, oldest first, at the configured rate.

    `remaining` says how many seconds are left. A crash leaves every entry on the agenda.
    """
    until, report = broker.clock() + COVERS, Report()
    broker.measure("Heartbeat", 1)
    with ThreadPoolExecutor(workers) as pool:
        while broker.clock() < until and remaining() > _RESERVE:
            due = _due(broker)
            for done in pool.map(lambda work: _acted(broker, work[0], revoke=work[1]), due):
                report.done, report.failed = report.done + done, report.failed + (not done)
            broker.sleep(_pause(broker, worked=bool(due)))
    return report


def _due(broker: Broker) -> list[tuple[str, bool]]:
    """What is due this second, no more than the rate allows; every second one by RevokeGrant in a backlog."""
    now, rate = int(broker.clock().timestamp()), broker.settings.end_rate
    waiting = list(_ids(broker, now))
    backlog = len(waiting) > rate * _BACKLOG
    take = waiting[: rate * 2] if backlog else waiting[:rate]
    return [(request_id, backlog and place % 2 == 1) for place, request_id in enumerate(take)]


def _ids(broker: Broker, now: int) -> Iterator[str]:
    for found, request in enumerate(broker.store.due(now, limit=_PAGE)):
        if found >= _PAGE:
            return
        yield request.id


def _acted(broker: Broker, request_id: str, *, revoke: bool = False, early: bool = False) -> bool:
    try:
        return act(broker, request_id, revoke=revoke, early=early)
    except BrokerError:
        # The database did not answer: the entry stays on the agenda as it is.
        _LOG.exception("an entry of the agenda failed", extra={"request": request_id})
        return False


def _pause(broker: Broker, *, worked: bool) -> float:
    """Until the next whole second while there is work, else until the next entry or the next look."""
    now = broker.clock()
    to_next = 1.0 - (now.timestamp() % 1.0)
    if worked:
        return to_next
    horizon = now + timedelta(seconds=_POLL)
    coming = next(iter(broker.store.due(int(horizon.timestamp()), limit=1)), None)
    if coming is None or coming.due is None:
        return min(_POLL, broker.settings.smallest_duration / 2)
    return max(0.05, min(_POLL, coming.due - now.timestamp()))


def end_at_once(broker: Broker, request_ids: list[str]) -> list[str]:
    """From the stream: those that could not be ended; the agenda has them too."""
    return [request_id for request_id in request_ids if not _acted(broker, request_id, early=True)]
