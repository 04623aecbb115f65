"""The scheduled run: watch the agenda for two minutes and act on each entry in its own second."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from grant_broker.aws.agenda import AgendaEntry
from grant_broker.domain.errors import BrokerError, DatabaseRefused, Stale, Unavailable
from grant_broker.domain.lifecycle import Action
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.rate import claim_ends
from grant_broker.expiry.steps import Way, act

_LOG = logging.getLogger(__name__)
# Schedules may start up to two minutes apart: each run covers that and a little more.
COVERS = timedelta(seconds=130)
_RESERVE = 10.0  # seconds kept before the time limit: no new look at the agenda
_LAST_START = 8.0  # seconds before the time limit: nothing new is begun, the next run has it
_PAGE, _MOST = 500, 2000  # entries read at a time, and in one look
_POLL = 2.0  # seconds between looks at the agenda
_RETRY = 0.5  # seconds until the next look where the database did not answer
_UNFIT = timedelta(minutes=5)


@dataclass
class Report:
    """What one run did. `failed` stays on the agenda, each with its own next attempt."""

    done: int = 0
    failed: int = 0
    looked: bool = False


@dataclass(frozen=True)
class _Work:
    entry: AgendaEntry
    revoke: bool = False


def run(broker: ExpiryBroker, remaining: Callable[[], float], *, workers: int = 8) -> Report:
    """Act on what falls due during the next 130 s, oldest first, at the configured rate.

    `remaining` says how many seconds are left. A crash leaves every entry on the agenda.
    """
    until, report = broker.clock() + COVERS, Report()
    with ThreadPoolExecutor(workers) as pool:
        while broker.clock() < until and remaining() > _RESERVE:
            coming = _look(broker)
            if coming is None:
                broker.sleep(_RETRY)
                continue
            _say_alive(broker, report)
            work = _due(broker, coming)
            for done in pool.map(lambda part: _acted(broker, part, remaining), work):
                report.done, report.failed = report.done + (done is True), report.failed + (done is False)
            broker.sleep(_pause(broker, coming, worked=bool(work)))
    return report


def _look(broker: ExpiryBroker) -> list[AgendaEntry] | None:
    """What is due or about to be; None where the database did not answer."""
    horizon = broker.clock() + timedelta(seconds=_POLL)
    try:
        return list(islice(broker.store.agenda.list_due(int(horizon.timestamp()), limit=_PAGE), _MOST))
    except Unavailable:
        _LOG.exception("the agenda could not be read")
        return None


def _say_alive(broker: ExpiryBroker, report: Report) -> None:
    # Once a run, and only when the agenda was read: a run that sees nothing must not silence the alarm.
    if not report.looked:
        broker.measure("Heartbeat", 1)
    report.looked = True


def _due(broker: ExpiryBroker, coming: list[AgendaEntry]) -> list[_Work]:
    """What is to be done this second: ends first, so that nothing crowds them out, as the rate allows.

    Where the oldest end has waited for longer than a run, RevokeGrant's own quota is used as well.
    """
    now, rate = broker.clock().timestamp(), broker.settings.end_rate
    due = [entry for entry in coming if entry.due <= now]
    ends = [entry for entry in due if entry.action == Action.END]
    behind = bool(ends) and now - ends[0].due > COVERS.total_seconds()
    retired = claim_ends(broker, len(ends))
    revoked = claim_ends(broker, len(ends) - retired, kind="revoke") if behind else 0
    work = [_Work(entry, revoke=place >= retired) for place, entry in enumerate(ends[: retired + revoked])]
    return work + [_Work(entry) for entry in due if entry.action != Action.END][:rate]


def _acted(broker: ExpiryBroker, work: _Work, remaining: Callable[[], float]) -> bool | None:
    """Whether it is done; None where it was not begun, for lack of time."""
    if remaining() < _LAST_START:
        return None
    try:
        return _put_off(broker, work.entry) if work.entry.id is None else _act(broker, work)
    except BrokerError:
        # The database did not answer: the entry stays on the agenda as it is.
        _LOG.exception("an entry of the agenda failed", extra={"entry": work.entry.key})
        return False


def _act(broker: ExpiryBroker, work: _Work) -> bool:
    try:
        return act(broker, str(work.entry.id), way=Way.REVOKE if work.revoke else Way.RETIRE)
    except (ValueError, DatabaseRefused):
        # A record that nobody can read, or that the database refuses: told, and tried again for ever, but
        # never so often that it stands in the way of the others.
        _LOG.exception("a record on the agenda is unfit", extra={"request": work.entry.id})
        return _put_off(broker, work.entry)


def _put_off(broker: ExpiryBroker, entry: AgendaEntry) -> bool:
    broker.measure("EndFailures", 1)
    try:
        broker.store.agenda.postpone(entry, int((broker.clock() + _UNFIT).timestamp()))
    except Stale:
        _LOG.info("the entry has left the agenda", extra={"entry": entry.key})
    return False


def _pause(broker: ExpiryBroker, coming: list[AgendaEntry], *, worked: bool) -> float:
    """Until the next whole second while there is work, else until the next entry or the next look."""
    now = broker.clock().timestamp()
    if worked:
        return 1.0 - now % 1.0
    wait = next((entry.due - now for entry in coming if entry.due > now), None)
    return min(_POLL, broker.settings.smallest_duration / 2) if wait is None else max(0.05, min(_POLL, wait))


def end_at_once(broker: ExpiryBroker, request_ids: list[str]) -> list[str]:
    """From the stream: end what became `ending`; those for which the database did not answer.

    It takes turns like everybody: what finds none, or fails at KMS, is on the agenda for this second or the
    next ones.
    """
    room = claim_ends(broker, len(request_ids))
    return [request_id for request_id in request_ids[:room] if not _ended_early(broker, request_id)]


def _ended_early(broker: ExpiryBroker, request_id: str) -> bool:
    try:
        act(broker, request_id, early=True)
    except BrokerError:
        _LOG.exception("a record of the stream failed", extra={"request": request_id})
        return False
    except ValueError:
        _LOG.exception("a record of the stream is unfit", extra={"request": request_id})
    return True
