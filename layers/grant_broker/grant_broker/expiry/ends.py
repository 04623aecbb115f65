"""The ends of the agenda: looked for together, ended Region by Region."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from datetime import timedelta
from itertools import chain

from grant_broker.aws.agenda import AgendaEntry, Coming
from grant_broker.domain.agenda import Part
from grant_broker.expiry.backlog import NEXT_RUN
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.lane import Lane, Place, lane_of, place_of

_MOST = 2000  # entries in one look, or as many as show a backlog
_LASTS = 5.0  # seconds for which one look at a backlog lasts
_LATELY = 15  # seconds back, in which whatever has come since that look lies


class Ends:
    """What is due, in a lane for each Region. `make_workers` makes the workers of one.

    `may_begin` is asked before each end, and says whether there is time for one more.
    """

    def __init__(
        self, broker: ExpiryBroker, make_workers: Callable[[], Executor], may_begin: Callable[[], bool]
    ) -> None:
        self._broker, self._make_workers, self._may_begin = broker, make_workers, may_begin
        home = broker.settings.aws_region
        self._lanes = {home: self._open_lane(home)}
        self._complete, self._seen_at = True, -math.inf

    @property
    def busy(self) -> bool:
        """Whether any is under way."""
        return any(lane.busy for lane in self._lanes.values())

    @property
    def done(self) -> int:
        """How many entries were done."""
        return sum(lane.done for lane in self._lanes.values())

    @property
    def failed(self) -> int:
        """How many failed."""
        return sum(lane.failed for lane in self._lanes.values())

    @property
    def error(self) -> BaseException | None:
        """An unexpected error."""
        return next((lane.error for lane in self._lanes.values() if lane.error), None)

    def look(self, horizon: timedelta) -> Coming:
        """Read what falls due within the horizon and is not under way; of a backlog only now and then.

        One Region's backlog, such as while KMS does not answer there, delays no other Region's ends: they are
        looked for every time, past the entries of the Regions that have plenty.
        """
        self.collect()
        now = self._broker.clock().timestamp()
        until = int(now + horizon.total_seconds())
        plenty = {name for name, lane in self._lanes.items() if lane.has_plenty}
        if not plenty or now >= self._seen_at + _LASTS:
            self._see(self._read(until))
            self._seen_at = now
        elif not plenty.issuperset(self._broker.settings.regions):
            self._see_more(self._read_past(plenty, until, since=int(now) - _LATELY))
        seen = chain.from_iterable(lane.entries for lane in self._lanes.values())
        return Coming(sorted(seen, key=lambda entry: entry.due), self._complete)

    def _read(self, until: int) -> Coming:
        """Read the earliest; where those are as many as one look takes, what one Region's hide as well."""
        found, complete, hidden = dict[Place, AgendaEntry](), True, set[str]()
        while True:
            coming = self._read_past(hidden, until)
            found |= {place_of(entry): entry for entry in coming.entries}
            complete &= coming.complete
            if len(coming.entries) < self._most or hidden.issuperset(self._broker.settings.regions):
                return Coming(list(found.values()), complete)
            hidden |= {name for name, _ in Counter(map(self._lane_of, coming.entries)).most_common(1)}

    def _read_past(self, hidden: Collection[str], until: int, *, since: int | None = None) -> Coming:
        """Read the earliest entries of all lanes but some."""

        def is_wanted(entry: AgendaEntry) -> bool:
            return self._lane_of(entry) not in hidden

        agenda = self._broker.store.agenda
        return agenda.read_due(Part.ENDS, until, most=self._most, since=since, wanted=is_wanted)

    @property
    def _most(self) -> int:
        return max(_MOST, self._broker.settings.end_rate * NEXT_RUN + 1)

    def _see(self, coming: Coming) -> None:
        """Part a whole look by lanes."""
        self._complete = coming.complete
        parted = self._parted(coming)
        for name, lane in self._lanes.items():
            lane.see(parted[name])

    def _see_more(self, coming: Coming) -> None:
        """Add what a look past the backlogs shows."""
        self._complete &= coming.complete
        for name, entries in self._parted(coming).items():
            self._lanes[name].see_more(entries)

    def _parted(self, coming: Coming) -> Mapping[str, list[AgendaEntry]]:
        parted = defaultdict[str, list[AgendaEntry]](list)
        for entry in sorted(coming.entries, key=lambda entry: entry.due):
            parted[self._lane_of(entry)].append(entry)
        for name in parted.keys() - self._lanes.keys():
            self._lanes[name] = self._open_lane(name)
        return parted

    def _open_lane(self, name: str) -> Lane:
        return Lane(self._broker, name, self._make_workers(), self._may_begin)

    def _lane_of(self, entry: AgendaEntry) -> str:
        return lane_of(self._broker, entry.key_arn)

    def begin(self) -> None:
        """Begin what is due of what was seen, as much as each Region's rate allows."""
        for lane in self._lanes.values():
            lane.begin()

    def collect(self) -> None:
        """Take up what those that are over came to."""
        for lane in self._lanes.values():
            lane.collect()

    def give_back(self) -> None:
        """Leave the rate to the other runs."""
        for lane in self._lanes.values():
            lane.give_back()
