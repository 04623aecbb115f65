"""Sort what a listing shows, and judge what is the broker's: for all listings of one run."""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, reduce
from typing import TypeVar

from grant_broker.aws.agenda import End
from grant_broker.aws.key_places import list_key_places
from grant_broker.domain.arns import find_region
from grant_broker.domain.errors import Conflict, KmsUncertain
from grant_broker.domain.keys import Key
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.passes import KeyPlace, PassCount
from grant_broker.domain.request import GrantRequest
from grant_broker.reconcile.approvals_in_force import Reader
from grant_broker.reconcile.broker import ReconcileBroker
from grant_broker.reconcile.plan import BY, Planner
from grant_broker.reconcile.recorder import Recorder

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
MANY_GRANTS = 40_000
"""80 % of the grants that KMS lets one key have, of whomever; the quota of 50,000 can be raised."""
UNFIT = (ValueError, TypeError, LookupError, ArithmeticError, Conflict)
"""What a record or a grant that makes no sense may raise: its own failure, and nobody else's."""


@dataclass(frozen=True)
class Sorted:
    """A page of listed grants: those to judge, those that are left alone and why, and all others."""

    ours: Sequence[ListedGrant]
    exempt: Sequence[tuple[ListedGrant, str]]
    others: Sequence[ListedGrant]

    @property
    def of_the_broker(self) -> Iterator[ListedGrant]:
        """Whatever the home account issued on registered keys for `expiry` to retire."""
        yield from self.ours
        yield from (grant for grant, _ in self.exempt)


@dataclass
class Judging:
    """One run's judge, and what the run has seen.

    `counts` are of the passes over the grants, by the Regions of which a page was read; `expected` of the
    records of grants that KMS should list by now, None unless all were looked at in this run.
    """

    broker: ReconcileBroker
    now: datetime
    seen: set[str] = field(default_factory=set)
    pass_ended: bool = False
    """Whether the pass over the grants that `expiry` may retire came to its end."""
    listed_all: bool = False
    """Whether this run saw all of them."""
    listed_regions: set[str] = field(default_factory=set)
    """The Regions all of whose grants that `expiry` may retire this run saw."""
    silent: dict[str | None, KmsUncertain] = field(default_factory=dict)
    """The Regions in which KMS did not answer: each costs a minute, so this run asks there no more."""
    listed_keys: set[str] = field(default_factory=set)
    """The keys whose every grant this run saw."""
    counts: dict[str, PassCount] = field(default_factory=dict)
    expected: int | None = None
    failed: int = 0
    ends: Sequence[End] = ()
    """The ends on the agenda, once they were read."""
    most_grants: int = 0
    """Grants on the key, of those listed in this run, that has most: anybody's."""
    unlisted: int | None = None
    """Open keys whose grants KMS did not list to reconcile when it was their turn."""

    unreviewed: int | None = None
    """Reviews of break-glass that are owed; None until they were counted."""
    not_archived: int | None = None
    """Closed requests that could not be moved to the archive; None where no pass looked at them."""
    looks_owed: int | None = None
    """Looks at keys, standing approvals and accounts that are owed; None until they were counted."""

    def __post_init__(self) -> None:
        self.reader = Reader(self.broker.store, self.broker.settings, self.now)
        self.recorder = Recorder(self.broker)
        self._owner = self.broker.settings.owner
        self._planner = Planner(self.now, lambda: self.broker.stamp(BY))

    @cached_property
    def key_places(self) -> list[KeyPlace]:
        """Where the pass over each registered key stands, whose last one is longest ago first."""
        return list_key_places(self.broker.store.tables)

    @property
    def count(self) -> PassCount | None:
        """What the passes over the grants of all Regions counted; None where no page was read."""
        return reduce(PassCount.beside, self.counts.values()) if self.counts else None

    def sort(self, page: Collection[ListedGrant]) -> Sorted:
        """Part a page by whose each grant is."""
        ours: list[ListedGrant] = []
        exempt: list[tuple[ListedGrant, str]] = []
        others: list[ListedGrant] = []
        for grant in page:
            # Nothing is read for a grant of somebody else's: anybody can make any number of them.
            key = self._find_key(grant) if self._owner.owns(grant) else None
            reason = self._owner.exemption(grant, key) if key else None
            if key is None:
                others.append(grant)
            elif reason:
                exempt.append((grant, reason))
            else:
                ours.append(grant)
        return Sorted(ours, exempt, others)

    def judge(self, found: Sorted) -> None:
        """Record what is to become of those grants of a page that no listing of this run has shown yet."""
        _one_by_one_where_unfit(
            [grant for grant in found.ours if grant.grant_id not in self.seen],
            lambda some: self.recorder.apply(
                self._planner.plan_grants(some, self.reader.read_evidence(some))
            ),
            lambda grant: self._fail("a grant cannot be judged", grant.grant_id),
        )
        # Of grants that the broker cannot have made no record tells: their ids would only fill the memory.
        at_home = (grant for grant in found.others if self._owner.owns(grant))
        self.seen.update(grant.grant_id for grant in (*found.of_the_broker, *at_home))

    def judge_records(self, records: Sequence[GrantRequest]) -> None:
        """Record what is to become of requests that are off the agenda, or whose grant was not listed."""
        _one_by_one_where_unfit(
            records,
            lambda some: self.recorder.apply(self._planner.plan_records(some, self.is_absent)),
            lambda record: self._fail("a record makes no sense", record.id),
        )

    def is_absent(self, record: GrantRequest) -> bool:
        """Whether this run looked where the grant of a record must be, and did not see it."""
        return self.would_see(record.key_arn) and record.grant_id not in self.seen

    def note_unlisted(self, key_arn: str) -> None:
        """KMS does not list a key's grants to reconcile: of a key that was closed nobody needs to know."""
        key = self.reader.find_key(key_arn)
        self.unlisted = (self.unlisted or 0) + (key is not None and key.open)

    def note_grants(self, key_arn: str, count: int) -> None:
        """A key holds so many grants, as far as it is listed."""
        self.most_grants = max(self.most_grants, count)
        if count >= MANY_GRANTS:
            _LOG.warning("a key nears KMS's quota of grants", extra={"key": key_arn, "grants": count})

    def would_see(self, key_arn: str) -> bool:
        """Whether this run saw all of the broker's grants on a key."""
        return find_region(key_arn) in self.listed_regions or key_arn in self.listed_keys

    def _find_key(self, grant: ListedGrant) -> Key | None:
        try:
            return self.reader.find_key(grant.key_arn)
        except UNFIT:
            self._fail("a key of the register cannot be read", grant.key_arn)
            return None

    def _fail(self, what: str, which: str) -> None:
        _LOG.exception(what, extra={"which": which})
        self.failed += 1


def _one_by_one_where_unfit(
    items: Sequence[T], judge: Callable[[Sequence[T]], None], fail: Callable[[T], None]
) -> None:
    """Judge items together, or where one of them makes no sense each for itself: what it has done repeats."""
    try:
        if items:
            judge(items)
    except UNFIT:
        if len(items) == 1:
            fail(items[0])
            return
        for item in items:
            _one_by_one_where_unfit([item], judge, fail)
