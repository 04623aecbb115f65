"""What the rows of evidence hold, as types."""

from typing import TypedDict

from grant_broker.domain.trail import Json


class Said(TypedDict):
    """What somebody said, and when: a vote, a change, a review."""

    at: str
    by: str
    what: str
    comment: str | None


class Scope(TypedDict):
    """What may be done, under which encryption context."""

    operations: list[str]
    encryption_context: dict[str, str]
    context_match: str | None


class Grant(TypedDict):
    """A grant of the period. Times are RFC 3339 in UTC; what did not happen, or is not known, is null.

    A grant that was never *seen* used may have been used: see `domain/usage.py`.
    """

    request: str
    key: str | None
    account: str | None
    requester: str | None
    grantee: str | None
    operations: list[str]
    encryption_context: dict[str, str]
    context_match: str | None
    reason: str | None
    ticket: str | None
    extends: str | None
    asked_at: str | None
    asked_duration: str | None
    decisions: list[Said]
    standing_approval: str | None
    break_glass: bool
    made_at: str
    grant_id: str | None
    expires_at: str | None
    ended_at: str | None
    end: str | None
    end_reason: str | None
    end_asked_by: str | None
    seconds_late: float | None
    absent_at: str | None
    first_seen_used: str | None
    last_seen_used: str | None
    seen_used_at_least: int
    seen_used_certainly: bool
    drift: bool
    reviews: list[Said]
    last_hash: str


class Approval(TypedDict):
    """A standing approval that held in the period, or waited for votes."""

    approval: str
    key: str | None
    account: str | None
    grantee: str | None
    operations: list[str]
    encryption_context: dict[str, str]
    context_match: str | None
    max_duration: str | None
    valid_from: str | None
    valid_until: str | None
    windows: list[Json] | None
    reason: str | None
    made_at: str
    made_by: str
    votes: list[Said]
    withdrawn_at: str | None
    withdrawn_by: str | None
    reviews: list[Said]
    last_hash: str


class Named(TypedDict):
    """A key or an account as it was documented last before the period's end."""

    id: str
    name: str | None
    document: Json
    known_since: str
    closed_at: str | None
    changes: list[Said]
    reviews: list[Said]
    last_hash: str


class Role(TypedDict):
    """A role through which somebody decided in the period."""

    role: str
    persons: list[str]
    decisions: int
    first_at: str
    last_at: str
