"""What is known of use, as the API shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grant_broker.domain.times import format_time_or_none

if TYPE_CHECKING:
    from grant_broker.api.shapes import usage as shapes
    from grant_broker.domain.key_usage import LastUse


def last_use_view(use: LastUse | None) -> shapes.KeyUse | None:
    """When a key was last used."""
    if use is None:
        return None
    return {
        "at": format_time_or_none(use.at),
        "operation": use.operation,
        "event_id": use.event_id,
        "since": format_time_or_none(use.since),
    }
