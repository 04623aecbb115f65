"""What a covered submission costs a warm function, against nothing but its AWS calls."""

import pickle
import statistics
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from tests.benchmarks.cold_start import Options, authorities_of, child_of
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.layer import layer_for
from tests.benchmarks.processes import Child, Stages, apart, in_turn
from tests.benchmarks.stage import stage_for
from tests.support.course import followed
from tests.support.scene import InProcessStack

_REQUESTS = 12  # as in the scripts
_ROUNDS = 5  # no more: the local tables get slower with each submission that they hold


def submission(options: Options) -> list[Figure]:
    """The CPU of one more submission that is granted at once, and the calls that it waits for."""
    mine, its, _ = _measured(options.python)
    [trips] = apart([_round_trips])
    return [
        Figure.of_pairs("warm submission, against raw JSON and the same calls", mine, its, Target(1.25)),
        Figure("warm submission: calls waited for in turn", trips, Target(5), 0.0, trips, 1.0, "calls"),
    ]


def processor_of_a_call(options: Options) -> float:
    """The CPU seconds that one call of AWS costs a warm function: its data made, signed, sent and read."""
    _, its, calls = _measured(options.python)
    return statistics.median(its) / calls


def _round_trips() -> int:
    """How many calls of AWS a covered submission waits for, where those that can overlap do."""
    stack = InProcessStack.deploy()
    stack.reset()
    stack.approve_ahead()
    with followed(stack) as course:
        answer = stack.submit(key=stack.key_arn)
    if answer.body["status"] != "active":
        raise ValueError(f"not granted: {answer}")
    return course.now


@cache
def _measured(python: str) -> tuple[list[float], list[float], int]:
    """CPU seconds of a submission, ours and the raw calls', in turn; and how many calls those are."""
    layer = layer_for(python)
    stage = stage_for(authorities_of(layer))
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "calls"
        ours = child_of(layer, stage, "requests", first=True)
        ours = replace(ours, script="warm", environment={**ours.environment, "BENCHMARK_CALLS": str(kept)})
        raw = Child("warm_raw", layer.python, [layer.trimmed], ours.environment)
        mine, its = in_turn([ours, raw], _ROUNDS)
        calls = len(pickle.loads(kept.read_bytes()))  # noqa: S301 - written by the process before
    return [_each(found) for found in mine], [_each(found) for found in its], calls


def _each(found: Stages) -> float:
    return (found["submissions"] - found["warm"]) / _REQUESTS
