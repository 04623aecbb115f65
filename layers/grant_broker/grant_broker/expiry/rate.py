"""How many grants may be ended in one second, shared by all runs and stream batches that end any.

KMS throttles RetireGrant and RevokeGrant each by account and Region, and up to three scheduled runs overlap
with batches of the stream beside them. So each second's rate, for each of the two ways and in each Region, is
shared out:

- A run that holds a lease has a quarter of it, which nobody else may touch: it asks nobody for that.
- What is not held so is taken first come, first served, from a counter of the second. A lone run gets all.

A lease holds from the second *after* it was written, so all who look at it within one second see the same
holders and agree on what is left to the counter: together they stay within the rate. A crashed holder keeps
its quarter from the others for as long as its lease lasts, 5 s. Whatever the items say, that others hold
leases or that everything is taken, and also where they do not answer, a run goes on at its own quarter: an
item that is stuck or forged can slow the ends down to that, not stop them.
"""

from collections import Counter
from enum import StrEnum
from typing import NamedTuple
from zlib import crc32

from grant_broker.aws.leases import Lease
from grant_broker.domain.errors import DatabaseRefused, Unavailable
from grant_broker.expiry.broker import ExpiryBroker


class Way(StrEnum):
    """How a grant is ended. KMS has a quota for each."""

    RETIRE = "retire"
    REVOKE = "revoke"


_PARTS = 4  # three runs that may overlap, and one part that no lease is on
_LASTS = 5  # seconds; a run with ends ahead renews it every second or two
_FORGOTTEN = 60  # seconds after which a lease that was not renewed is cleared away
_CLEARED = 20  # leases cleared away at a time


def reserved(rate: int, second: int) -> int:
    """What one holder may count on in a second: a quarter of the rate, on average where that is not whole."""
    return rate * (second + 1) // _PARTS - rate * second // _PARTS


class _Second(NamedTuple):
    """Who may end grants in one second: `holders` are live then; `place` is one's own among them, if any."""

    number: int
    holders: int
    place: int | None
    known: bool = True

    def left(self, rate: int) -> int:
        """What no lease is on."""
        return rate - self.holders * reserved(rate, self.number) if self.known else 0


class EndRate:
    """The rate at which one run may end grants in a lane. For one thread."""

    def __init__(self, broker: ExpiryBroker, lane: str) -> None:
        self._broker, self._place = broker, _place(broker, lane)
        self._lease = Lease(broker.new_id(), since=0, until=-1)
        self._second = _Second(-1, holders=0, place=None)
        self._gone: list[str] = []
        self._taken = Counter[Way]()

    def renew(self) -> None:
        """Renew the lease, once a second, while there are ends ahead."""
        second = int(self._broker.clock().timestamp())
        if second != self._second.number:
            self._second, self._taken = self._look(second), Counter()

    def _look(self, second: int) -> _Second:
        lapsed = self._lease.until < second
        since = second + 1 if lapsed else self._lease.since
        lease = self._lease._replace(since=since, until=second + _LASTS)
        try:
            leases = self._broker.store.leases.renew(self._place, lease, gone=self._gone)
        except (Unavailable, DatabaseRefused):
            # The lease may or may not have been written: the next second tells.
            return _Second(second, holders=0, place=None, known=False)
        self._lease = lease
        self._gone = [each.holder for each in leases if not _is_kept(each, second)][:_CLEARED]
        holders = _holders(leases, second)
        place = holders.index(lease.holder) if lease.holder in holders else None
        return _Second(second, min(len(holders), _PARTS), place)

    def claim(self, way: Way, wanted: int) -> int:
        """Claim ends of the present second; how many may be made. Each way has a quota of its own."""
        rate, second = self._broker.settings.end_rate, self._second
        own = max(0, reserved(rate, second.number) - self._taken[way])
        has_own = second.place is not None or not second.known
        claimed = min(wanted, own) if has_own else 0
        try:
            claimed += _claim_left(self._broker, f"{way}{self._place}", second, wanted - claimed)
        except (Unavailable, DatabaseRefused):
            # To end a little fast is better than not to end.
            claimed = min(wanted, own)
        self._taken[way] += claimed
        return claimed

    def owns(self, request_id: str | None) -> bool:
        """Whether a request is for this run to end first: the holders part them, so that two rarely meet."""
        if self._second.place is None:
            return True
        return crc32((request_id or "").encode()) % self._second.holders == self._second.place

    def give_back(self) -> None:
        """Let the lease end with the last second in which it was renewed."""
        if self._lease.until <= self._second.number:
            return
        self._lease = self._lease._replace(until=self._second.number)
        try:
            self._broker.store.leases.renew(self._place, self._lease)
        except (Unavailable, DatabaseRefused):
            return  # it lapses by itself


def claim_for_stream(broker: ExpiryBroker, lane: str, wanted: int) -> int:
    """Claim ends of the present second for a batch of the stream, from what no lease is on."""
    second, place = int(broker.clock().timestamp()), _place(broker, lane)
    try:
        holders = _holders(broker.store.leases.read(place), second)
        shared = _Second(second, min(len(holders), _PARTS), place=None)
        return _claim_left(broker, f"{Way.RETIRE}{place}", shared, wanted)
    except (Unavailable, DatabaseRefused):
        return min(wanted, 1)


def _place(broker: ExpiryBroker, lane: str) -> str:
    """What follows the names of a lane's items; nothing in the home Region's, which were there first."""
    return "" if lane == broker.settings.aws_region else f"#{lane}"


def _claim_left(broker: ExpiryBroker, counter: str, second: _Second, wanted: int) -> int:
    left = second.left(broker.settings.end_rate)
    wanted = min(wanted, left)
    if wanted <= 0:
        return 0
    taken = broker.store.counters.claim(counter, second.number, wanted)
    return max(0, min(wanted, left - (taken - wanted)))


def _holders(leases: list[Lease], second: int) -> list[str]:
    live = (lease for lease in leases if lease.since <= second <= lease.until and _is_kept(lease, second))
    return sorted(lease.holder for lease in live)


def _is_kept(lease: Lease, second: int) -> bool:
    # Nobody leases for that long: such an item is not of ours, or of a clock that is far off.
    return second - _FORGOTTEN <= lease.until <= second + 2 * _LASTS
