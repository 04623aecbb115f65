"""Compare the grants that KMS shows with records and approvals, both ways, and record what must end.

Nothing here may end a grant: `expiry` does, because a request is `ending` or on the agenda.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from grant_broker.aws.kms import Grant
from grant_broker.domain import adoption
from grant_broker.domain.bookkeeping import missing, rescheduled, seen_again
from grant_broker.domain.lifecycle import OPEN
from grant_broker.domain.live_grants import LiveGrant
from grant_broker.domain.reconciliation import Finding, Judgement, judge, judge_ended, should_be_listed
from grant_broker.domain.records import Change
from grant_broker.domain.request import GrantRequest
from grant_broker.reconcile.approvals_in_force import Evidence, live_grant, shown
from grant_broker.reconcile.broker import ReconcileBroker
from grant_broker.reconcile.recorder import BY, Recorder

Records = dict[str, GrantRequest | None]
T = TypeVar("T")
_PAGE = 100
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
    """One run; `remaining` says how many seconds are left. What it cannot finish the next run takes up."""
    run = _Run(broker, broker.clock(), remaining)
    # What KMS no longer shows is only known from a whole listing.
    listed = run.grants()
    complete = listed and run.records()
    report = run.report
    report.drift, report.failed = run.recorder.drift, report.failed + run.recorder.failed
    report.complete = complete and not report.failed
    if listed:
        broker.measure("LiveGrants", report.live)
        broker.measure("OverdueGrants", report.overdue)
        broker.measure("OldestOverdueSeconds", report.oldest_overdue)
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

    def __post_init__(self) -> None:
        self.evidence = Evidence(self.broker.store, self.broker.settings.quorum)
        self.recorder = Recorder(self.broker, self.now)

    def grants(self) -> bool:
        """From KMS to the records; False where the time did not suffice."""
        listed = self.broker.kms.list_retirable_grants(self.broker.settings.retiring_principal)
        for page in _chunks(listed, _PAGE):
            if self.remaining() < _RESERVE:
                return False
            self._page(page)
        return True

    def records(self) -> bool:
        """From the records to KMS; False where the time did not suffice."""
        for page in _chunks(self._suspects(), _PAGE):
            if self.remaining() < _RESERVE:
                return False
            records = [record for record in self.evidence.records(page).values() if record]
            self.recorder.commit([change for record in records if (change := self._upkeep(record))])
            for record in records:
                if self._gone(record) and record.missing_since:
                    self.recorder.close(record)
        return True

    def _page(self, page: list[Grant]) -> None:
        grants = [live_grant(grant, now=self.now) for grant in page]
        named = {grant.request_id for grant in grants if grant.request_id}
        records = self.evidence.records({*named, *(grant.derived_id for grant in grants)})
        self.evidence.load_approvals([record for record in records.values() if record], named)
        changes: list[Change] = []
        for listed, grant in zip(page, grants, strict=True):
            self._count(grant)
            changes += [change] if (change := self._change(grant, listed, records)) else []
        self.recorder.commit(changes)

    def _count(self, grant: LiveGrant) -> None:
        self.seen.add(grant.grant_id)
        self.report.live += not grant.foreign
        if grant.expiry and grant.expiry < self.now:
            self.report.overdue += 1
            late = (self.now - grant.expiry).total_seconds()
            self.report.oldest_overdue = max(self.report.oldest_overdue, late)

    def _change(self, grant: LiveGrant, listed: Grant, records: Records) -> Change | None:
        record, found = self._judged(grant, records)
        if found.finding == Finding.FOREIGN:
            self.recorder.foreign(grant, shown(listed))
            return None
        if found.finding in {Finding.ADOPT, Finding.END_APART}:
            change = self._adopted(grant, listed, found)
            # A second grant under the same name must find this record.
            records[change.record.subject.removeprefix("request#")] = _request(change)
            return change
        return self._of_record(record, found, grant) if record else None

    def _judged(self, grant: LiveGrant, records: Records) -> tuple[GrantRequest | None, Judgement]:
        record = records.get(grant.request_id or "")
        well_named = not grant.foreign and grant.request_id is not None
        fault = self.evidence.fault(grant, record) if well_named else None
        found = judge(grant, record, fault, now=self.now)
        if found.finding == Finding.ADOPT and grant.request_id in records:
            found = Judgement(Finding.END_APART, "its record cannot be read")
        apart = records.get(grant.derived_id) if found.finding == Finding.END_APART else None
        return (apart, judge_ended(apart, now=self.now)) if apart else (record, found)

    def _adopted(self, grant: LiveGrant, listed: Grant, found: Judgement) -> Change:
        apart = found.finding == Finding.END_APART
        record_id = grant.derived_id if apart else str(grant.request_id)
        return adoption.adopted(
            grant,
            self.broker.stamp(BY),
            record_id=record_id,
            longest=self.evidence.longest(grant.key_arn),
            fault=found.reason or None,
            shown=shown(listed),
            after=self.evidence.head(record_id),
        )

    def _of_record(self, record: GrantRequest, found: Judgement, grant: LiveGrant) -> Change | None:
        match found.finding:
            case Finding.END:
                drift = not self.evidence.withdrawn(record)
                stamp = self.broker.stamp(BY)
                return adoption.ending_unfit(
                    record, stamp, found.reason, grant_id=grant.grant_id, drift=drift
                )
            case Finding.RESUME:
                self.recorder.in_turn(adoption.caught_up(record, grant, lambda: self.broker.stamp(BY)))
            case Finding.CONFIRM:
                return adoption.alive_after_end(record, self.broker.stamp(BY), found.reason)
            case Finding.REPAIR:
                return rescheduled(record, self.now, grant_id=record.grant_id or grant.grant_id)
            case Finding.SEEN_AGAIN:
                return seen_again(record)
        return None

    def _upkeep(self, record: GrantRequest) -> Change | None:
        if self._gone(record):
            return None if record.missing_since else missing(record, self.now)
        return rescheduled(record, self.now) if record.due is None and not record.status.final else None

    def _gone(self, record: GrantRequest) -> bool:
        return should_be_listed(record, now=self.now) and record.grant_id not in self.seen

    def _suspects(self) -> Iterator[str]:
        """The ids of requests without agenda entry, or whose grant KMS does not show (index: maybe stale)."""
        for status in OPEN:
            for item in self.broker.store.database.query(
                TableName=self.broker.store.tables.request_table,
                IndexName="by_status",
                condition="#status = :status",
                values={":status": str(status)},
                ExpressionAttributeNames={"#status": "status"},
                ProjectionExpression="id, grant_id, due",
            ):
                lives = status.granted
                if "due" not in item or (lives and item.get("grant_id") not in self.seen):
                    yield item["id"]


def _request(change: Change) -> GrantRequest | None:
    return change.record if isinstance(change.record, GrantRequest) else None


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
