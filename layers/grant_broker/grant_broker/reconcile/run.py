"""Compare the grants that KMS shows with records and approvals, both ways, and record what must end.

Nothing here may end a grant: `expiry` does, because a request is `ending` or on the agenda.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from grant_broker.domain.errors import BrokerError, DatabaseRefused
from grant_broker.reconcile.archive import archive_closed
from grant_broker.reconcile.broker import ReconcileBroker
from grant_broker.reconcile.ends import judge_ends, read_ends
from grant_broker.reconcile.grants import compare_grants
from grant_broker.reconcile.judging import Judging
from grant_broker.reconcile.keys import list_keys
from grant_broker.reconcile.records import compare_records
from grant_broker.reconcile.reviews import count_reviews

_LOG = logging.getLogger(__name__)
# Seconds kept before the time limit, for what is under way and for what comes after: each pass goes on in
# the next run, so that none of them may starve the others.
_STEPS = (
    (read_ends, 0.0),
    (compare_grants, 120.0),
    (list_keys, 60.0),
    (compare_records, 20.0),
    (judge_ends, 0.0),
    (count_reviews, 10.0),
    (archive_closed, 20.0),
)


@dataclass
class Report:
    """What one run saw and did. `complete`: all its passes came to their end, and it wrote all it found.

    `live` and `overdue` are of the pass over the grants, which may have begun in an earlier run.
    """

    live: int = 0
    overdue: int = 0
    oldest_overdue: float = 0.0
    drift: int = 0
    failed: int = 0
    complete: bool = False


def reconcile(broker: ReconcileBroker, remaining: Callable[[], float]) -> Report:
    """Do one run; `remaining` says how many seconds are left. What it cannot finish the next run takes up.

    Raises the first error of AWS that stopped one of its passes, once all others are done and measured.
    """
    judging, report = Judging(broker, broker.clock()), Report()
    errors: list[Exception] = []
    try:
        ends = [_take_step(judging, step, remaining, reserve, errors) for step, reserve in _STEPS]
        report.complete = all(ends)
    finally:
        _measure(judging, report, failed_steps=len(errors))
    if errors:
        raise errors[0]
    return report


def _take_step(
    judging: Judging,
    step: Callable[[Judging, Callable[[], bool]], bool],
    remaining: Callable[[], float],
    reserve: float,
    errors: list[Exception],
) -> bool:
    try:
        return step(judging, lambda: remaining() >= reserve)
    except (BrokerError, DatabaseRefused) as error:
        _LOG.exception("a pass was stopped")
        errors.append(error)
        return False


def _measure(judging: Judging, report: Report, *, failed_steps: int) -> None:
    """Measure what is known, whatever came of the run."""
    measure, count = judging.broker.measure, judging.count
    report.drift = judging.recorder.drift
    report.failed = judging.failed + judging.recorder.failed + failed_steps
    report.complete = report.complete and not report.failed
    if count:
        report.live, report.overdue = count.live, count.overdue
        report.oldest_overdue = (judging.now - count.oldest).total_seconds() if count.oldest else 0.0
        measure("OverdueGrants", report.overdue)
        measure("OldestOverdueSeconds", report.oldest_overdue)
    if judging.pass_ended:
        measure("LiveGrants", report.live)
    if judging.listed_all and judging.expected is not None:
        # One by one grants are ended by others now and then. All at once they are out of the broker's sight.
        measure("GrantsOutOfSight", 0 if report.live else judging.expected)
    if judging.most_grants:
        measure("GrantsOnFullestKey", judging.most_grants)
    if judging.unlisted is not None:
        measure("KeysNotListed", judging.unlisted)
    if judging.unreviewed is not None:
        measure("BreakGlassUnreviewed", judging.unreviewed)
    if judging.looks_owed is not None:
        measure("ReviewsDue", judging.looks_owed)
    if judging.not_archived is not None:
        measure("ArchiveFailures", judging.not_archived)
    measure("DriftFound", report.drift)
    if report.complete:
        measure("Heartbeat", 1)
