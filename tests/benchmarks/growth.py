"""What `expiry` needs as its table grows: reads where nothing is due, and memory where much is."""

import math
import time
import tracemalloc
from typing import Any

from grant_broker.domain.agenda import Part
from tests.benchmarks.cold_start import Options
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.sorted_agenda import SortedAgenda
from tests.support.backlog import SECOND, Backlog

FEW, MANY = 1_000, 1_000_000
DUE, MOST = 50_000, 128  # grants, MB
_LATER = SECOND + 86_400  # when the first of those that live is due
_PAIRS, _RUNS = 30, 50
_UNIT = 4096  # bytes that a read unit covers, twice where it is eventually consistent


def idle(_options: Options) -> list[Figure]:
    """Time and read units of a run with nothing due, at a million live grants against a thousand."""
    many, few = (_Agenda(SortedAgenda("ends#0", range(_LATER, _LATER + live))) for live in (MANY, FEW))
    measured = [(many.measure(), few.measure()) for _ in range(_PAIRS)]
    name = f"expiry with nothing due, {MANY:,} live against {FEW:,}"
    ours, reference = zip(*measured, strict=True)
    return [
        Figure.of_pairs(f"{name}: time of {_RUNS} runs", ours, reference, Target(1.1), "s"),
        Figure.of_pairs(f"{name}: read units", [many.units], [few.units], Target(1.1), "units"),
    ]


def memory(_options: Options) -> list[Figure]:
    """The most memory that a run holds with 50,000 due, above what was there before it."""
    backlog = Backlog(rate=50)
    backlog.add([-1] * DUE)
    run = backlog.process(5)
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return [Figure.of_pairs("memory of expiry with 50,000 due, of 128 MB", [peak], [MOST], Target(1.0), "MB")]


class _Agenda:
    """Runs of `expiry` over an agenda; `units` are the read units of the last one."""

    def __init__(self, agenda: SortedAgenda) -> None:
        self._agenda, self._backlog = agenda, Backlog()
        self._others = self._backlog.database.handle
        self._backlog.database.handle = self._handle  # type: ignore[method-assign,assignment]
        self.units = 0.0
        if not self._backlog.broker().store.agenda.read_due(Part.ENDS, _LATER, most=1).entries:
            raise ValueError("the broker does not find what is on the agenda")

    def measure(self) -> float:
        """The processor's seconds of some runs, each of which finds nothing due and goes home."""
        began, used = self._backlog.clock.now, time.process_time()
        for _ in range(_RUNS):
            self.units = 0.0
            report = self._backlog.process()()
        took = time.process_time() - used
        if self._backlog.clock.now != began or not report.looked:
            raise ValueError("the run did not go home at once")
        return took

    def _handle(self, operation: str, given: dict[str, Any], *more: Any, **named: Any) -> dict[str, Any]:
        if operation == "Query" and given.get("IndexName") == "agenda":
            answer = self._agenda.query(given)
        else:
            answer = self._others(operation, given, *more, **named)
        if operation == "Query":
            size = sum(len(str(item)) for item in answer["Items"])
            self.units += max(1, math.ceil(size / _UNIT)) * (1.0 if given.get("ConsistentRead") else 0.5)
        return answer
