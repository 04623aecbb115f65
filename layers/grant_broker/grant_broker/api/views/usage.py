"""What is known of use, as the API shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grant_broker.domain.times import format_time_or_none

if TYPE_CHECKING:
    from grant_broker.api.shapes import usage as shapes
    from grant_broker.domain.key_usage import LastUse
    from grant_broker.domain.usage import Usage


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


def usage_view(usage: Usage | None) -> shapes.Usage | None:
    """What was seen of a grant's use; None where nobody looks, or there is no grant."""
    if usage is None:
        return None
    return {
        "seen": usage.count > 0,
        "certain": usage.certain,
        "first_seen_at": format_time_or_none(usage.first_seen_at),
        "last_seen_at": format_time_or_none(usage.last_seen_at),
        "count_at_least": usage.count,
    }
