"""The life of a request: which status may follow which, and what is on the agenda in each.

One table, and nothing else decides it: sets of statuses are derived from it, never written by hand.
"""

from enum import StrEnum
from typing import NamedTuple


class Action(StrEnum):
    """What the agenda says must happen next."""

    LAPSE = "lapse"
    """Close what people did not decide, or the requester did not take up, in time."""
    SETTLE = "settle"
    """Find out whether KMS has the grant of a stored intent."""
    END = "end"
    """End the grant."""
    CONFIRM = "confirm"
    """Look for the grant's name once more after its end: a CreateGrant may have taken effect late."""


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
        return not LIFE[self].may_become

    @property
    def waits(self) -> bool:
        """Whether people or the requester have yet to act: no intent is stored, so there is no grant."""
        return LIFE[self].action == Action.LAPSE

    @property
    def granted(self) -> bool:
        """Whether KMS has the grant, as far as the broker knows, and it is to be ended."""
        return LIFE[self].action == Action.END


class Stage(NamedTuple):
    """One status: what may follow it, what is on the agenda in it, and which field of the record says when.

    Without such a field it is due at once.
    """

    may_become: frozenset[Status]
    action: Action
    deadline: str | None = None


def _final() -> Stage:
    # Not always on the agenda: after an end, and where a grant may have been made unseen.
    return Stage(frozenset(), Action.CONFIRM)


LIFE: dict[Status, Stage] = {
    Status.PENDING: Stage(
        frozenset({Status.APPROVED, Status.DENIED, Status.WITHDRAWN, Status.LAPSED, Status.REVOKED}),
        Action.LAPSE,
        "answer_by",
    ),
    Status.APPROVED: Stage(
        frozenset({Status.ISSUING, Status.WITHDRAWN, Status.LAPSED, Status.REVOKED}),
        Action.LAPSE,
        "take_up_by",
    ),
    Status.ISSUING: Stage(frozenset({Status.ACTIVE, Status.ENDING, Status.FAILED}), Action.SETTLE),
    Status.ACTIVE: Stage(frozenset({Status.ENDING, Status.EXPIRED}), Action.END, "ends_at"),
    Status.ENDING: Stage(frozenset({Status.EXPIRED, Status.REVOKED, Status.RELEASED}), Action.END),
    Status.DENIED: _final(),
    Status.WITHDRAWN: _final(),
    Status.LAPSED: _final(),
    Status.FAILED: _final(),
    Status.EXPIRED: _final(),
    Status.REVOKED: _final(),
    Status.RELEASED: _final(),
}
NEXT: dict[Status, frozenset[Status]] = {status: stage.may_become for status, stage in LIFE.items()}
FINAL = tuple(status for status in Status if status.final)
"""The statuses that nothing can follow."""
OPEN = tuple(status for status in Status if not status.final)
"""The statuses that something can follow, in the order of a request's life."""
