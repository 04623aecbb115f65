"""Audit events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grant_broker.domain.times import format_time
from grant_broker.domain.trail import Event

if TYPE_CHECKING:
    from grant_broker.api.shapes import events as shapes


def event_view(event: Event) -> shapes.Event:
    """An audit event."""
    return {
        "id": event.id,
        "at": format_time(event.at),
        "type": event.type,
        "request_id": event.request_id,
        "by": event.by,
        "detail": event.detail,
        "hash": event.hash,
    }
