"""What falls due as a picture: a column for each minute or hour, as high as what ends in it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grant_broker.api.shapes.debt import Due

_MARKS = 6
"""Columns from one written time to the next."""


@dataclass(frozen=True)
class Column:
    """A column in per cent of the picture; `words` is its time where one is written below it, else empty."""

    left: float
    width: float
    top: float
    height: float
    due: int
    words: str


@dataclass(frozen=True)
class Columns:
    """A picture: `limit` is where the most that can be ended on time stands, None above the picture."""

    columns: Sequence[Column]
    most: int
    limit: float | None


def draw_columns(parts: Sequence["Due"], capacity: int) -> Columns:
    """Columns of these parts, each of which has time for `capacity` ends."""
    most = max((part["due"] for part in parts), default=0)
    width = 100 / max(len(parts), 1)
    columns = [
        Column(
            left=round(number * width, 3),
            width=round(width * 0.8, 3),
            top=round(100 - _height(part["due"], most), 3),
            height=_height(part["due"], most),
            due=part["due"],
            words="" if number % _MARKS else f"{datetime.fromisoformat(part['at']):%H:%M}",
        )
        for number, part in enumerate(parts)
    ]
    return Columns(columns, most, round(100 - _height(capacity, most), 3) if capacity <= most else None)


def _height(due: int, most: int) -> float:
    return round(due / most * 100, 3) if most else 0
