"""Tell partners' buses of their own requests, so that none of them holds up the trail or another partner."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from grant_broker.aws.event_bus import Entry, EventBus, batches_of, partner_entry
from grant_broker.aws.mails import MailQueue
from grant_broker.broker import Measure
from grant_broker.domain.arns import account_of
from grant_broker.domain.errors import EventsRefused, Unavailable
from grant_broker.domain.notices import partner_notice
from grant_broker.domain.partner_events import find_account_told, partner_event
from grant_broker.domain.trail import Event
from grant_broker.events.directory import Directory

_LOG = logging.getLogger(__name__)
_BUDGET = 6.0
"""Seconds of one batch after which no further account is begun: the stream waits for this function."""
_REST = 60.0
"""Seconds for which a bus that failed is not called again."""
_MAIL_EVERY = 3600.0
"""Seconds between two mails about one account's bus."""


@dataclass
class Partners:
    """The buses of partners' accounts.

    A partner's bus is the partner's: it may be gone, its policy may shut us out, and nobody here can mend
    it. So each event is tried a bounded number of times (`EventBus.put`), never by the stream; what a bus
    does not take is counted, told in the log and by mail, and stays in the trail, where `GET /requests`
    shows it and `grant-broker replay --account` sends it again. `now` is in seconds, and never goes back.
    """

    bus: EventBus
    directory: Directory
    mails: MailQueue
    measure: Measure
    now: Callable[[], float] = time.monotonic
    _resting_until: dict[str, float] = field(default_factory=dict)
    _mailed_at: dict[str, float] = field(default_factory=dict)

    def tell(self, events: Sequence[Event]) -> list[bool]:
        """Tell each event to its account's bus, where it has one. All are done with, taken or not."""
        by_account: dict[str, list[Event]] = defaultdict(list)
        for event in events:
            if account := find_account_told(event):
                by_account[account].append(event)
        until = self.now() + _BUDGET
        for account, own in by_account.items():
            self._tell_account(account, own, until)
        return [True] * len(events)

    def _tell_account(self, account: str, events: Sequence[Event], until: float) -> None:
        name = None
        try:
            document = self.directory.find(account)
            if document is None or document.event_bus is None:
                return
            name = document.name
            lost, why = self._send(account, document.event_bus, events, until)
        except Unavailable as error:
            lost, why = len(events), str(error)
        if lost:
            self._tell_loss(account, name, lost, why)

    def _send(self, account: str, bus_arn: str, events: Sequence[Event], until: float) -> tuple[int, str]:
        """Send an account's events to its bus: how many it did not take, and why."""
        # No record, whoever wrote it, sends an account's events to another account.
        if account_of(bus_arn) != account:
            return len(events), "the bus is another account's"
        if self.now() < self._resting_until.get(account, float("-inf")):
            return len(events), "the bus failed a moment ago"
        if self.now() >= until:
            return len(events), "other partners' buses took too long"
        entries = list(partner_entries(account, bus_arn, events))
        taken, why = 0, "they have another form than is published" if len(entries) < len(events) else None
        for batch in batches_of(entries):
            try:
                results = self.bus.put(batch)
            except EventsRefused as error:
                results, why = [False], str(error)
            taken += sum(results)
            if not all(results):
                self._resting_until[account] = self.now() + _REST
                break
        return len(events) - taken, why or "it did not answer, or refused events again and again"

    def _tell_loss(self, account: str, name: str | None, lost: int, why: str) -> None:
        self.measure("PartnerEventsLost", lost)
        _LOG.error("a partner's bus did not take %d events: %s", lost, why, extra={"account": account})
        if self.now() - self._mailed_at.get(account, float("-inf")) >= _MAIL_EVERY:
            [is_queued] = self.mails.put([partner_notice(account, name, lost, why)])
            self._mailed_at |= {account: self.now()} if is_queued else {}


def partner_entries(account: str, bus_arn: str, events: Iterable[Event]) -> Iterator[Entry]:
    """An account's own events as its bus is told of them. One of another form is only logged.

    The broker writes none: whoever took a function over may write anything.
    """
    for event in events:
        if find_account_told(event) != account:
            continue
        try:
            told = partner_event(event, account)
        except ValueError:
            _LOG.exception("an event has another form than is published", extra={"event": event.id})
        else:
            yield partner_entry(event, told, bus_arn)
