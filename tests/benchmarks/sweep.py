"""How fast `expiry` ends what is due, and how late, against a KMS that throttles above its quota.

The sweep runs on a clock of its own, so that its figures are the same on any machine. Lateness is measured in
real time, with the function's own workers, where each call takes what it takes on AWS.
"""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from grant_broker.expiry.run import run
from tests.benchmarks.cold_start import Options
from tests.benchmarks.figures import Better, Figure, Target
from tests.support.backlog import SECOND, START, Backlog

T = TypeVar("T")
QUOTA, DUE = 50, 5000
GRANTS, SPREAD = 500, 60  # so many over so many seconds
_DATABASE, _KMS = 0.006, 0.010  # seconds a call
_FIRST = 5  # seconds from the start until the first of them is due


@dataclass(frozen=True)
class Ended:
    """When grants ended, in seconds from the start, and how late each was; `calls` of KMS in all."""

    at: list[float]
    late: list[float]
    calls: int


def sweep(_options: Options) -> list[Figure]:
    """5,000 due at once, one way and both ways, in ends a second against one operation's quota."""
    one, both = cleared(one_way=True), cleared(one_way=False)
    per_second = [DUE / (max(each.at) + 1) for each in (one, both)]
    successes, calls = len(both.at), both.calls
    return [
        Figure.of_pairs(
            "sweep of 5,000: one way, of its quota", per_second[:1], [QUOTA],
            Target(0.97, Better.HIGHER), "ends/s",
        ),
        Figure.of_pairs(
            "sweep of 5,000: both ways, of one quota", per_second[1:], [QUOTA],
            Target(1.9, Better.HIGHER), "ends/s",
        ),
        Figure.of_pairs("sweep of 5,000: KMS calls a success", [calls], [successes], Target(1.02), "calls"),
    ]  # fmt: skip


def cleared(*, one_way: bool) -> Ended:
    """Clear 5,000 that are due."""
    backlog = Backlog(rate=QUOTA, quota=QUOTA)
    if one_way:
        backlog.kms.refused["ListGrants"] = "AccessDeniedException"
    backlog.add([-1] * DUE)
    backlog.process(290)()
    refusals = backlog.kms.total("ListGrants") if one_way else 0
    return _ended(backlog, refusals)


def lateness(_options: Options) -> list[Figure]:
    """500 grants over a minute, each against its own second."""
    found = late().late
    middle, worst = statistics.median(found), statistics.quantiles(found, n=100)[98]
    return [
        Figure("lateness of 500 over 60 s: p50", middle, Target(0.05), 0.0, middle, 1.0, "s"),
        Figure("lateness of 500 over 60 s: p99", worst, Target(0.15), 0.0, worst, 1.0, "s"),
    ]


def late() -> Ended:
    """End 500 over a minute, in real time."""
    backlog = Backlog(rate=40, quota=QUOTA)
    backlog.add([_FIRST + number * SPREAD // GRANTS for number in range(GRANTS)])
    clock = _Elapsed(time.monotonic())
    backlog.clock = backlog.kms.clock = clock  # type: ignore[assignment]
    backlog.database.handle = _taking(_DATABASE, backlog.database.handle)  # type: ignore[method-assign]
    retire: Any = _taking(_KMS, backlog.kms.retire_grant)
    backlog.kms.retire_grant = retire  # type: ignore[method-assign]
    run(backlog.broker(), lambda: SPREAD + 30 - clock.elapsed, pool=ThreadPoolExecutor)
    return _ended(backlog, 0)


@dataclass(frozen=True)
class _Elapsed:
    """Real time, told as time since the backlog's start."""

    began: float

    @property
    def elapsed(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self.began

    @property
    def now(self) -> datetime:
        """The moment."""
        return START + timedelta(seconds=self.elapsed)

    def __call__(self) -> datetime:
        return self.now

    @staticmethod
    def sleep(seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def _taking(seconds: float, call: Callable[..., T]) -> Callable[..., T]:
    def taking(*given: Any, **named: Any) -> T:
        time.sleep(seconds)
        return call(*given, **named)

    return taking


def _ended(backlog: Backlog, uncounted: int) -> Ended:
    at = {grant_id: (moment - START).total_seconds() for grant_id, moment in backlog.kms.ended.items()}
    items = backlog.database.tables["requests"].items
    due = {
        item["grant_id"]["S"]: float(item["held_until"]["N"]) - SECOND
        for item in items.values()
        if "grant_id" in item and "held_until" in item
    }
    late = [max(0.0, moment - due[grant_id]) for grant_id, moment in at.items()]
    return Ended(sorted(at.values()), late, backlog.kms.total() - uncounted)
