"""Compare the grants that KMS shows with records and approvals, both ways, and record what must end.

Nothing here may end a grant: `expiry` does, because a request is `ending` or on the agenda.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from grant_broker.aws.dynamodb import Query
from grant_broker.domain.arns import find_account
from grant_broker.domain.lifecycle import OPEN
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.place import Elsewhere, Place
from grant_broker.domain.reconciliation import PROPAGATION
from grant_broker.domain.request import ISSUE_WITHIN
from grant_broker.domain.times import format_time
from grant_broker.reconcile.approvals_in_force import Reader
from grant_broker.reconcile.broker import ReconcileBroker
from grant_broker.reconcile.plan import BY, Planner
from grant_broker.reconcile.recorder import Recorder

T = TypeVar("T")
_PAGE = 100
_ACCOUNTS = 10  # of those that made grants on keys of their own, told by name
_RESERVE = 20.0  # seconds kept for what is under way when the time limit nears


@dataclass
class Report:
    """What one run saw and did. `complete`: it saw every grant and every record, and wrote all it found."""

    live: int = 0
    overdue: int = 0
    oldest_overdue: float = 0.0
    drift: int = 0
    failed: int = 0
    complete: bool = False


def reconcile(broker: ReconcileBroker, remaining: Callable[[], float]) -> Report:
    """Do one run; `remaining` says how many seconds are left. What it cannot finish the next run takes up."""
    run = _Run(broker, broker.clock(), remaining)
    # What KMS no longer shows is only known from a whole listing.
    seen_all = run.check_grants()
    complete = seen_all and run.check_records()
    report = run.report
    report.drift, report.failed = run.recorder.drift, report.failed + run.recorder.failed
    report.complete = complete and not report.failed
    if seen_all:
        broker.measure("LiveGrants", report.live)
        broker.measure("OverdueGrants", report.overdue)
        broker.measure("OldestOverdueSeconds", report.oldest_overdue)
    if complete:
        # One by one grants are ended by others now and then. All at once they are out of the broker's sight.
        broker.measure("GrantsOutOfSight", 0 if report.live else run.expected)
    broker.measure("DriftFound", report.drift)
    if report.complete:
        broker.measure("Heartbeat", 1)
    return report


@dataclass
class _Run:
    broker: ReconcileBroker
    now: datetime
    remaining: Callable[[], float]
    report: Report = field(default_factory=Report)
    seen: set[str] = field(default_factory=set)
    expected: int = 0
    """Records of grants that KMS should list by now."""

    def __post_init__(self) -> None:
        self.reader = Reader(self.broker.store, self.broker.settings)
        self.planner = Planner(self.now, lambda: self.broker.stamp(BY))
        self.recorder = Recorder(self.broker)
        self.owner = self.broker.settings.owner
        self.elsewhere: Counter[str] = Counter()

    def check_grants(self) -> bool:
        """Go from KMS to the records; False where the time did not suffice."""
        grants = self.broker.kms.list_retirable_grants(self.broker.settings.retiring_principal)
        for page in _chunks(grants, _PAGE):
            if self.remaining() < _RESERVE:
                return False
            ours = list(self._ours(page))
            if ours:
                evidence = self.reader.read_evidence(ours)
                self.recorder.apply(self.planner.plan_grants(ours, evidence))
        self._tell_of_others()
        return True

    def check_records(self) -> bool:
        """Go from the records to KMS; False where the time did not suffice."""
        for page in _chunks(self._suspects(), _PAGE):
            if self.remaining() < _RESERVE:
                return False
            records = [record for record in self.reader.read_records(page).values() if record]
            self.recorder.apply(self.planner.plan_records(records, self.seen))
        return True

    def _ours(self, page: Iterable[ListedGrant]) -> Iterator[ListedGrant]:
        """Of what names `expiry`'s role the grants that are the broker's to judge."""
        for grant in page:
            self.seen.add(grant.grant_id)
            # Nothing is read for a grant of somebody else's: anybody can make any number of them.
            key = self.reader.find_key(grant.key_arn) if self.owner.claims(grant) else None
            if key is None:
                self.elsewhere[find_account(grant.issuing_account or "") or "unknown"] += 1
                continue
            self._count(grant)
            if self.owner.exemption(grant, key) is None:
                yield grant

    def _tell_of_others(self) -> None:
        """One event a run at most, where what others have made has changed: nothing is stored for each."""
        place = self.broker.store.find_place() or Place()
        found = Elsewhere(grants=self.elsewhere.total(), accounts=dict(self.elsewhere.most_common(_ACCOUNTS)))
        if found != place.elsewhere:
            self.recorder.record(place.counted(found, self.broker.stamp(BY)))

    def _count(self, grant: ListedGrant) -> None:
        self.report.live += 1
        if grant.expiry and grant.expiry < self.now:
            self.report.overdue += 1
            late = (self.now - grant.expiry).total_seconds()
            self.report.oldest_overdue = max(self.report.oldest_overdue, late)

    def _suspects(self) -> Iterator[str]:
        """The ids of requests without agenda entry, or whose grant KMS does not show (index: maybe stale)."""
        settled = format_time(self.now - ISSUE_WITHIN - PROPAGATION)
        for status in OPEN:
            query = Query(
                table=self.broker.store.tables.request_table,
                index="by_status",
                condition="#status = :status",
                values={":status": str(status)},
                names={"#status": "status"},
                projection="pk, grant_id, due, issued_at",
            )
            for item in self.broker.store.database.query(query):
                # Read past the model: what is no time is late in the alphabet, and does not count.
                self.expected += status.granted and str(item.get("issued_at", "~")) < settled
                unseen = status.granted and str(item.get("grant_id")) not in self.seen
                if "due" not in item or unseen:
                    yield item["pk"].removeprefix("request#")


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
