"""`python -m tests.benchmarks [--json FILE] [NAME …]`: what the broker costs, beside references."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "layers" / "grant_broker"))

from tests.benchmarks import (
    access,
    cold_start,
    day,
    figures,
    growth,
    layer_size,
    plots,
    reconciling,
    sweep,
    warm,
)
from tests.benchmarks.cold_start import Options

BENCHMARKS: dict[str, Callable[[Options], list[figures.Figure]]] = {
    "requests-cold": cold_start.requests,
    "expiry-cold": cold_start.expiry,
    "warm": warm.submission,
    "layer": layer_size.layer_size,
    "sweep": sweep.sweep,
    "lateness": sweep.lateness,
    "idle": growth.idle,
    "memory": growth.memory,
    "reconcile": reconciling.whole_pass,
    "access": access.report,
    "day": day.day,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all by default"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--python", default=sys.executable, help="the interpreter of cold starts (Lambda: 3.13)"
    )
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw sweep, lateness and cost there")
    parser.add_argument("--rounds", type=int, default=15, help="pairs of fresh processes for each cold start")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in BENCHMARKS]:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    return given


def main() -> None:
    """Measure, print the table, and write the figures where asked to."""
    given = _arguments()
    options = Options(given.python, given.rounds)
    found: list[figures.Figure] = []
    for name in given.names or BENCHMARKS:
        found += BENCHMARKS[name](options)
        if given.json:
            # Each time: one that fails must not cost the minutes of those before it.
            figures.write(found, given.json)
    print(figures.table(found))
    if given.plots:
        plots.draw(given.plots)


if __name__ == "__main__":
    main()
