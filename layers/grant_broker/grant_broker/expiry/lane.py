"""One Region's ends: begun in their own second, oldest first, at the rate that this run may use there.

Each Region has workers of its own. What KMS does not answer in one Region takes up to 5 s of a worker, and
with shared ones a few such would be all there are: the ends of every other Region would wait for them.
"""

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future

from grant_broker.aws.agenda import AgendaEntry
from grant_broker.domain.arns import find_region
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.expiry.backlog import BacklogListing
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.entries import attempt
from grant_broker.expiry.rate import EndRate, Way

_LOG = logging.getLogger(__name__)
_SHOWN_STILL = 3.0  # seconds for which the index may show an entry as it was before its end
_SECONDS_AHEAD = 4
_UNLISTED = "unlisted"
"""The lane of all Regions that are not the stack's: a forged record may name any number of them."""
Place = tuple[tuple[str, str], int]
"""An entry at one time: what was done about it moves it, so it is another entry when it is due again."""


def lane_of(broker: ExpiryBroker, key_arn: str | None) -> str:
    """The lane that the ends of a key go in: its Region, where that is one of the stack's."""
    region = find_region(key_arn or "")
    return region if region in broker.settings.regions else _UNLISTED


def place_of(entry: AgendaEntry) -> Place:
    """Where an entry is on the agenda, and when."""
    return entry.key, entry.due


class Lane:
    """Begins what is due, and waits for none of it: a slow answer holds up no other end.

    `may_begin` is asked before each, and says whether there is time for one more.
    """

    def __init__(
        self, broker: ExpiryBroker, name: str, workers: Executor, may_begin: Callable[[], bool]
    ) -> None:
        self._broker, self._workers, self._may_begin = broker, workers, may_begin
        self._rate, self._backlog = EndRate(broker, name), BacklogListing(broker, workers)
        self.entries: list[AgendaEntry] = []
        """What falls due soon and is not under way, earliest first."""
        self._under_way: dict[Future[bool | None], tuple[Place, Way]] = {}
        self._not_before: dict[Place, float] = {}
        self.done = self.failed = 0
        self.error: BaseException | None = None

    @property
    def busy(self) -> bool:
        """Whether any is under way."""
        return bool(self._under_way)

    @property
    def has_plenty(self) -> bool:
        """Whether it has enough to do without another look at the agenda."""
        return len(self.entries) > _SECONDS_AHEAD * self._broker.settings.end_rate

    def see(self, entries: Iterable[AgendaEntry]) -> None:
        """Take what a look at the agenda shows, but for what is under way or was just done."""
        now = self._broker.clock().timestamp()
        self.entries = [each for each in entries if self._not_before.get(place_of(each), -math.inf) <= now]

    def see_more(self, entries: Iterable[AgendaEntry]) -> None:
        """Take what a look shows besides what was seen earlier."""
        merged = {place_of(each): each for each in (*self.entries, *entries)}
        self.see(sorted(merged.values(), key=lambda each: each.due))

    def begin(self) -> None:
        """Begin what is due of what was seen, as much as the rate allows."""
        if not self.entries:
            return
        self._rate.renew()
        now = self._broker.clock().timestamp()
        # The sort is stable: oldest first within what is this run's, then within what is another's.
        due = sorted(
            (each for each in self.entries if each.due <= now), key=lambda each: not self._rate.owns(each.id)
        )
        revoked = self._revoke(due) if self._backlog.is_behind(due) else set()
        due = [entry for entry in due if place_of(entry) not in revoked]
        for entry in due[: self._claim(Way.RETIRE, len(due))]:
            self._begin(entry, Way.RETIRE)
        self.entries = [each for each in self.entries if self._not_before.get(place_of(each)) != math.inf]

    def _revoke(self, due: list[AgendaEntry]) -> set[Place]:
        """Begin RevokeGrant's own share of a backlog."""
        self._backlog.read_on(due)
        shown = [entry for entry in due if self._backlog.find(entry)]
        chosen = shown[: self._claim(Way.REVOKE, len(shown))]
        for entry in chosen:
            self._begin(entry, Way.REVOKE, self._backlog.take(entry))
        return {place_of(entry) for entry in chosen}

    def _claim(self, way: Way, wanted: int) -> int:
        # Never more at a time than end in a second: those that wait for a slow KMS would all end in one.
        under_way = Counter(way for _, way in self._under_way.values())
        room = max(0, self._broker.settings.end_rate - under_way[way])
        return self._rate.claim(way, min(wanted, room))

    def _begin(self, entry: AgendaEntry, way: Way, listed: ListedGrant | None = None) -> None:
        self._not_before[place_of(entry)] = math.inf
        self._under_way[self._workers.submit(self._attempt, entry, listed)] = place_of(entry), way

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
