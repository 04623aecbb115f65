"""Audit events."""

from typing import Any, TypedDict

from grant_broker.api.vocabulary import (
    Hash,
    Id,
    Time,
)


class Event(TypedDict):
    """One audit event."""

    id: str
    at: Time
    type: str
    request_id: Id | None
    by: str
    detail: dict[str, Any]
    hash: Hash
