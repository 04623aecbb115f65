"""What falls due, and how late it would come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grant_broker.domain.ends_ahead import Debt
from grant_broker.domain.times import format_time, from_epoch

if TYPE_CHECKING:
    from grant_broker.api.shapes import debt as shapes

_MINUTE, _HOUR = 60, 3600


def debt_view(debt: Debt) -> shapes.Debt:
    """Per minute for an hour and per hour for a day."""
    return {
        "at": format_time(from_epoch(debt.at)),
        "end_rate": debt.rate,
        "debt_seconds": debt.seconds,
        "overdue": debt.overdue,
        "believed": debt.is_believed,
        "minutes": [_due(*part) for part in debt.by(_MINUTE, 60)],
        "hours": [_due(*part) for part in debt.by(_HOUR, 24)],
    }


def _due(since: int, number: int) -> shapes.Due:
    return {"at": format_time(from_epoch(since)), "due": number}
