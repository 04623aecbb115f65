"""The rest of the agenda: lapse, settle, confirm, with looks and workers of their own.

Nothing of it is awaited where grants are ended, however slow it is and however much of it there is.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future

from grant_broker.aws.agenda import AgendaEntry
from grant_broker.domain.agenda import Part
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.entries import attempt

_LOG = logging.getLogger(__name__)


class Rest:
    """Acts on what is due of the rest, round after round: a new one begins when the last is over."""

    def __init__(
        self, broker: ExpiryBroker, rounds: Executor, workers: Executor, may_begin: Callable[[], bool]
    ) -> None:
        self._broker, self._rounds, self._workers = broker, rounds, workers
        self._may_begin = may_begin
        self._round: Future[bool] | None = None
        self.done = self.failed = 0
        self.error: BaseException | None = None
        self.through = False
        """Whether the last round that is over saw, and tried, everything that was due."""

    def go_on(self) -> None:
        """Begin a round unless one is under way."""
        if self._round is None or self._round.done():
            self.finish()
            self._round = self._rounds.submit(self._act_on_due)

    def finish(self) -> None:
        """Wait for the round that is under way, if any is."""
        if self._round is None:
            return
        if error := self._round.exception():
            # Unexpected: the next round tries again, and the run fails at its end.
            _LOG.error("a round of the rest failed", exc_info=error)
            self.error = error
        self.through = error is None and self._round.result()
        self._round = None

    def _act_on_due(self) -> bool:
        """Do one round; whether that was everything due."""
        now = int(self._broker.clock().timestamp())
        # As many as ends in a second: settle and confirm call ListGrants, which has a quota of its own.
        most = self._broker.settings.end_rate
        coming = self._broker.store.agenda.read_due(Part.REST, now, most=most)
        for done in self._workers.map(self._attempt, coming.entries):
            self.done, self.failed = self.done + (done is True), self.failed + (done is False)
        return coming.complete and len(coming.entries) < most

    def _attempt(self, entry: AgendaEntry) -> bool | None:
        """Whether it is done; None where it was not begun, for lack of time."""
        return attempt(self._broker, entry) if self._may_begin() else None
