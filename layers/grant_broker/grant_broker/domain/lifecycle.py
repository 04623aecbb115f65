"""The life of a request: which status may follow which. One table, and nothing else decides it."""

from enum import StrEnum


class Status(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    ISSUING = "issuing"
    ACTIVE = "active"
    ENDING = "ending"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    FAILED = "failed"
    EXPIRED = "expired"
    REVOKED = "revoked"
    RELEASED = "released"

    @property
    def final(self) -> bool:
        """Whether nothing can follow."""
        return not NEXT[self]


NEXT: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset(
        {Status.APPROVED, Status.DENIED, Status.WITHDRAWN, Status.LAPSED, Status.REVOKED, Status.FAILED}
    ),
    Status.APPROVED: frozenset({Status.ISSUING, Status.WITHDRAWN, Status.LAPSED, Status.REVOKED}),
    Status.ISSUING: frozenset({Status.ACTIVE, Status.ENDING, Status.FAILED}),
    Status.ACTIVE: frozenset({Status.ENDING, Status.EXPIRED}),
    Status.ENDING: frozenset({Status.EXPIRED, Status.REVOKED, Status.RELEASED}),
    Status.DENIED: frozenset(),
    Status.WITHDRAWN: frozenset(),
    Status.LAPSED: frozenset(),
    Status.FAILED: frozenset(),
    Status.EXPIRED: frozenset(),
    Status.REVOKED: frozenset(),
    Status.RELEASED: frozenset(),
}


class Action(StrEnum):
    """What the agenda says must happen next."""

    LAPSE = "lapse"
    SETTLE = "settle"
    END = "end"
    CONFIRM = "confirm"
