"""What the benchmarks make of what they measure."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.figures import Better, Figure, Target, table, write


def test_ratio_is_that_of_the_pairs() -> None:
    """A round on a busy machine is slow for both of its pair, and does not move the ratio."""
    figure = Figure.of_pairs("x", [2.0, 20.0, 2.0, 2.0], [1.0, 10.0, 1.0, 1.0], Target(2.0))
    assert (figure.ratio, figure.spread, figure.met) == (2.0, 0.0, True)
    assert (figure.ours, figure.reference) == (2.0, 1.0)


@pytest.mark.parametrize(
    ("target", "met"), [(Target(1.0), False), (Target(2.0), True), (Target(1.0, Better.HIGHER), True)]
)
def test_targets_have_a_side(target: Target, *, met: bool) -> None:
    """A target is a ceiling, or a floor where more is better."""
    assert Figure("x", 1.5, target, 0.0, 1.5, 1.0, "s").met is met


def test_documents(tmp_path: Path) -> None:
    """The JSON has the agreed names, and the table a row for each figure."""
    figure = Figure("x", 1.5, Target(1.0), 0.1, 1.5, 1.0, "s")
    write([figure], tmp_path / "found.json")
    assert json.loads((tmp_path / "found.json").read_text("utf-8")) == [
        {"name": "x", "ratio": 1.5, "target": 1.0, "met": False, "spread": 0.1, "ours": 1.5, "reference": 1.0}
    ]
    assert table([figure]).splitlines()[-1] == "| x | 1.5 | 0.1 | <= 1 | no | 1.5 s | 1 s |"
