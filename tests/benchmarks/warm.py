"""What a covered submission costs a warm function, against nothing but its AWS calls."""

import tempfile
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.cold_start import Options, authorities_of, child_of
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.layer import layer_for
from tests.benchmarks.processes import Child, Stages, in_turn
from tests.benchmarks.stage import stage_for

_REQUESTS = 30  # as in the scripts


def submission(options: Options) -> list[Figure]:
    """The CPU of one more submission that is granted at once."""
    layer = layer_for(options.python)
    stage = stage_for(authorities_of(layer))
    with tempfile.TemporaryDirectory() as folder:
        calls = {"BENCHMARK_CALLS": str(Path(folder) / "calls")}
        ours = child_of(layer, stage, "requests", first=True)
        ours = replace(ours, script="warm", environment={**ours.environment, **calls})
        raw = Child("warm_raw", layer.python, [layer.trimmed], ours.environment)
        mine, its = in_turn([ours, raw], options.rounds)
    return [
        Figure.of_pairs(
            "warm submission, against raw JSON and the same calls",
            [_each(found) for found in mine],
            [_each(found) for found in its],
            Target(1.25),
        )
    ]


def _each(found: Stages) -> float:
    return (found["submissions"] - found["warm"]) / _REQUESTS
