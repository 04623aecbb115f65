"""The ends of the agenda: begun in their own second, oldest first, at the rate that this run may use."""

import logging
import math
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import timedelta

from grant_broker.aws.agenda import AgendaEntry, Coming
from grant_broker.domain.agenda import Part
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.expiry.backlog import NEXT_RUN, BacklogListing
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.entries import attempt
from grant_broker.expiry.rate import EndRate, Way

_LOG = logging.getLogger(__name__)
_MOST = 2000  # entries in one look, or as many as show a backlog
_SHOWN_STILL = 3.0  # seconds for which the index may show an entry as it was before its end
_LASTS = 5.0  # seconds for which one look at a backlog lasts
_Place = tuple[tuple[str, str], int]
"""An entry at one time: what was done about it moves it, so it is another entry when it is due again."""


class Ends:
    """Begins what is due, and waits for none of it: a slow answer holds up no other end.

    `may_begin` is asked before each, and says whether there is time for one more.
    """

    def __init__(self, broker: ExpiryBroker, workers: Executor, may_begin: Callable[[], bool]) -> None:
        self._broker, self._workers, self._may_begin = broker, workers, may_begin
        self._rate, self._backlog = EndRate(broker), BacklogListing(broker, workers)
        self._seen, self._seen_at = Coming([]), -math.inf
        self._under_way: dict[Future[bool | None], tuple[_Place, Way]] = {}
        self._not_before: dict[_Place, float] = {}
        self.done = self.failed = 0
        self.error: BaseException | None = None

    @property
    def busy(self) -> bool:
        """Whether any is under way."""
        return bool(self._under_way)

    def look(self, horizon: timedelta) -> Coming:
        """Read what falls due within the horizon and is not under way; of a backlog only now and then."""
        self.collect()
        rate, now = self._broker.settings.end_rate, self._broker.clock().timestamp()
        if len(self._seen.entries) <= 4 * rate or now >= self._seen_at + _LASTS:
            until, most = int(now + horizon.total_seconds()), max(_MOST, rate * NEXT_RUN + 1)
            seen = self._broker.store.agenda.read_due(Part.ENDS, until, most=most)
            left = [each for each in seen.entries if self._not_before.get(_place(each), -math.inf) <= now]
            self._seen, self._seen_at = Coming(left, seen.complete), now
        return self._seen

    def begin(self) -> None:
        """Begin what is due of what was seen, as much as the rate allows."""
        coming = self._seen.entries
        if not coming:
            return
        self._rate.renew()
        now = self._broker.clock().timestamp()
        # The sort is stable: oldest first within what is this run's, then within what is another's.
        due = sorted(
            (each for each in coming if each.due <= now), key=lambda each: not self._rate.owns(each.id)
        )
        revoked = self._revoke(due) if self._backlog.is_behind(due) else set()
        due = [entry for entry in due if _place(entry) not in revoked]
        for entry in due[: self._claim(Way.RETIRE, len(due))]:
            self._begin(entry, Way.RETIRE)
        left = [each for each in coming if self._not_before.get(_place(each)) != math.inf]
        self._seen = Coming(left, self._seen.complete)

    def _revoke(self, due: list[AgendaEntry]) -> set[_Place]:
        """Begin RevokeGrant's own share of a backlog."""
        self._backlog.read_on(due)
        shown = [entry for entry in due if self._backlog.find(entry)]
        chosen = shown[: self._claim(Way.REVOKE, len(shown))]
        for entry in chosen:
            self._begin(entry, Way.REVOKE, self._backlog.take(entry))
        return {_place(entry) for entry in chosen}

    def _claim(self, way: Way, wanted: int) -> int:
        # Never more at a time than end in a second: those that wait for a slow KMS would all end in one.
        under_way = Counter(way for _, way in self._under_way.values())
        room = max(0, self._broker.settings.end_rate - under_way[way])
        return self._rate.claim(way, min(wanted, room))

    def _begin(self, entry: AgendaEntry, way: Way, listed: ListedGrant | None = None) -> None:
        self._not_before[_place(entry)] = math.inf
        self._under_way[self._workers.submit(self._attempt, entry, listed)] = _place(entry), way

    def _attempt(self, entry: AgendaEntry, listed: ListedGrant | None) -> bool | None:
        """Whether it is done; None where it was not begun, for lack of time."""
        return attempt(self._broker, entry, listed) if self._may_begin() else None

    def collect(self) -> None:
        """Take up what those that are over came to."""
        for future in [future for future in self._under_way if future.done()]:
            place, _ = self._under_way.pop(future)
            if error := future.exception():
                # Unexpected: this run leaves the entry alone, goes on with the others, and fails at its end.
                _LOG.error("an end failed", exc_info=error, extra={"entry": place[0]})
                self.error, self.failed = error, self.failed + 1
            elif future.result():
                self.done += 1
                self._not_before[place] = self._broker.clock().timestamp() + _SHOWN_STILL
            else:
                self.failed += future.result() is False
                del self._not_before[place]

    def give_back(self) -> None:
        """Leave the rate to the other runs."""
        self._rate.give_back()


def _place(entry: AgendaEntry) -> _Place:
    return entry.key, entry.due
