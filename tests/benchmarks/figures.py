"""What a benchmark finds: ratios of two things that were measured in turn, in the same run."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Self


class Better(Enum):
    """Which side of its target a ratio has to stay on."""

    LOWER = "<="
    HIGHER = ">="


@dataclass(frozen=True)
class Target:
    """What a ratio should be at most, or at least."""

    value: float
    better: Better = Better.LOWER

    def met_by(self, ratio: float) -> bool:
        """Whether a ratio is good enough."""
        return ratio <= self.value if self.better is Better.LOWER else ratio >= self.value


@dataclass(frozen=True)
class Figure:
    """One row. `ours` and `reference` are medians in `unit`; `spread` is the ratio's interquartile range."""

    name: str
    ratio: float
    target: Target
    spread: float
    ours: float
    reference: float
    unit: str

    @classmethod
    def of_pairs(
        cls, name: str, ours: Sequence[float], reference: Sequence[float], target: Target, unit: str = "s"
    ) -> Self:
        """Compare what was measured in turn: the median of the pairs' ratios, and how far they lie apart."""
        ratios = [mine / its for mine, its in zip(ours, reference, strict=True)]
        low, ratio, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        return cls(
            name, ratio, target, high - low, statistics.median(ours), statistics.median(reference), unit
        )

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.target.met_by(self.ratio)

    def document(self) -> dict[str, object]:
        """The figure as JSON has it."""
        shown = asdict(self) | {"target": self.target.value, "met": self.met}
        del shown["unit"]
        return shown


def table(figures: Iterable[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = ["| what | ratio | spread | target | met | ours | reference |", "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {found.name} | {found.ratio:.3g} | {found.spread:.2g} "
        f"| {found.target.better.value} {found.target.value:g} | {'yes' if found.met else 'no'} "
        f"| {found.ours:.4g} {found.unit} | {found.reference:.4g} {found.unit} |"
        for found in figures
    ]
    return "\n".join(lines)


def write(figures: Iterable[Figure], to: Path) -> None:
    """Write the figures as a JSON list."""
    to.write_text(json.dumps([found.document() for found in figures], indent=2) + "\n", "utf-8")
