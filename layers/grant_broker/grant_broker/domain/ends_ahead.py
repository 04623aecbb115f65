"""What falls due, second by second: whether one more end can be on time, and how late ends would come."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

ON_TIME = 5
"""Seconds that an end may wait for its turn and still be on time: KMS takes as long to forget a grant."""
STRETCH = 30
"""Seconds before and after an end in which others may delay it, or be delayed by it."""
NEAR = 300
"""Seconds around an end within which one that fits is looked for."""
_BELIEVED = 10
"""Seconds of the rate: with more ends that nothing stands behind, the agenda's count is not believed.

So many crowd ten seconds at most, wherever they are put.
"""


class EndsAhead(NamedTuple):
    """How many ends fall due in each epoch second, and how many can be made a second (`rate`).

    Where the agenda lies in several shards these are those of one, with its part of the rate: requests are
    spread over the shards by a hash, so each is a fair sample of all.
    """

    dues: Mapping[int, int]
    rate: float
    complete: bool = True
    """Whether these are all: where there are too many to read, the earliest."""

    def fits(self, second: int) -> bool:
        """Whether one more end in this second is on time, and makes no later one late.

        What is too late already, such as after a restore, is no reason to refuse what makes it no later.
        """
        if not self.complete and second >= max(self.dues):
            return False
        before = dict(_delays(self.dues, self.rate))
        after = dict(_delays(Counter(self.dues) + Counter({second: 1}), self.rate))
        return all(
            delay <= max(ON_TIME, before.get(each, 0.0)) for each, delay in after.items() if each >= second
        )

    def nearest(self, second: int, *, earliest: int, latest: int) -> list[int]:
        """The nearest seconds that fit: the last one before and the first one after, as far as there are."""
        before = next((each for each in range(second - 1, earliest - 1, -1) if self.fits(each)), None)
        after = next((each for each in range(second + 1, latest + 1) if self.fits(each)), None)
        return [each for each in (before, after) if each is not None]

    def debt(self, now: int) -> float:
        """The longest that any of these ends will have to wait for its turn from now on, in seconds.

        What is overdue waits from now; 0 where all can be made in their own second.
        """
        dues = Counter[int]()
        for second, number in self.dues.items():
            dues[max(second, now)] += number
        return max((delay for _, delay in _delays(dues, self.rate)), default=0.0)


class Debt(NamedTuple):
    """What falls due in the next day, by Region and second, what is overdue at `at` included.

    `rate` is how many ends can be made a second, in each Region.
    """

    at: int
    regions: Mapping[str, Counter[int]]
    rate: int
    is_believed: bool

    @property
    def seconds(self) -> int:
        """The longest that any end will have to wait at the present rate: whole seconds, rounded up."""
        return math.ceil(longest_wait(self.regions, self.rate, self.at))

    @property
    def dues(self) -> Counter[int]:
        """How many fall due in each epoch second, in all Regions together."""
        return sum(self.regions.values(), Counter())

    @property
    def overdue(self) -> int:
        """Ends whose second is over."""
        return sum(number for second, number in self.dues.items() if second < self.at)

    def by(self, length: int, parts: int) -> list[tuple[int, int]]:
        """How many fall due in each of so many stretches of `length` seconds: where it begins, and how many.

        The first one begins with the present minute.
        """
        first = self.at - self.at % 60
        found = Counter[int]()
        for second, number in self.dues.items():
            if second >= self.at:
                found[(second - first) // length] += number
        return [(first + length * part, found[part]) for part in range(parts)]


def longest_wait(regions: Mapping[str, Mapping[int, int]], rate: float, now: int) -> float:
    """The longest that any end of any Region will have to wait for its turn from now on, in seconds."""
    return max((EndsAhead(dues, rate).debt(now) for dues in regions.values()), default=0.0)


def by_region(ends: Iterable[tuple[str, int]]) -> dict[str, Counter[int]]:
    """Count ends, each a Region and an epoch second, by the second in each Region."""
    regions = defaultdict[str, Counter[int]](Counter)
    for region, second in ends:
        regions[region][second] += 1
    return dict(regions)


def is_believed(unbacked: int, rate: int) -> bool:
    """Whether to believe what the agenda says although no live grant stands behind so many of its ends.

    Any function that writes the table could fill the agenda. Were that believed, whoever took one over could
    have every submission refused for as long as the forged entries lie there.
    """
    return unbacked <= _BELIEVED * rate


def _delays(dues: Mapping[int, int], rate: float) -> Iterator[tuple[int, float]]:
    """How long the last end of each second waits beyond it, oldest first and so many a second."""
    waiting, last = 0.0, 0
    for second in sorted(dues):
        # What was made in the seconds between is behind.
        waiting = max(0.0, waiting - rate * (second - last)) + dues[second]
        last = second
        yield second, max(0.0, waiting / rate - 1)
