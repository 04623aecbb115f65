"""What `expiry` needs as its table grows: reads where nothing is due, and memory where much is."""

import math
import tracemalloc
from typing import Any

from tests.benchmarks.cold_start import Options
from tests.benchmarks.figures import Figure, Target
from tests.support.backlog import Backlog

FEW, MANY = 1_000, 100_000
DUE, MOST = 50_000, 128  # grants, MB
_LATER = 86_400  # seconds until the first of those that live is due
_UNIT = 4096  # bytes that a read unit covers, twice where it is eventually consistent


def idle(_options: Options) -> list[Figure]:
    """The read units of a run with nothing due, at 100,000 live grants against 1,000."""
    ours, reference = _units(MANY), _units(FEW)
    name = "expiry with nothing due: read units at 100,000 live against 1,000"
    return [Figure.of_pairs(name, [ours], [reference], Target(1.1), "units")]


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


def _units(live: int) -> float:
    backlog = Backlog()
    backlog.add([_LATER + number for number in range(live)])
    handle, read = backlog.database.handle, 0.0

    def counting(operation: str, given: dict[str, Any], *more: Any, **named: Any) -> dict[str, Any]:
        nonlocal read
        answer = handle(operation, given, *more, **named)
        if operation == "Query":
            size = sum(len(str(item)) for item in answer["Items"])
            read += max(1, math.ceil(size / _UNIT)) * (1.0 if given.get("ConsistentRead") else 0.5)
        return answer

    backlog.database.handle = counting  # type: ignore[method-assign,assignment]
    backlog.process()()
    return read
