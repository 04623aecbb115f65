"""How much one account may hold open at a time, so that none crowds out another or floods the deciders."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from grant_broker.domain.lifecycle import Status

# Whoever withdraws or releases one makes room at once. Nobody else is told to wait for days.
_SOONEST, _LATEST = 60, 3600


class OpenRequest(NamedTuple):
    """A request of an account that is not final, as an index shows it: whatever stands there counts.

    `due`: epoch second of what happens next to it, if known.
    """

    grantee: str
    status: str
    due: int | None


class Allowance(NamedTuple):
    """The most that may be open at a time. `pending` is what waits for people: the security team's queue."""

    account: int
    grantee: int
    pending: int

    def refusal(
        self, held: Sequence[OpenRequest], *, grantee: str, waits: bool, now: datetime
    ) -> "Refusal | None":
        """Why an account that holds these may not open one more; `waits` where it would wait for people."""
        own = [one for one in held if one.grantee == grantee]
        pending = [one for one in held if one.status == Status.PENDING] if waits else []
        checks = (
            (held, self.account, "your account has {} open requests, the most allowed"),
            (own, self.grantee, "the grantee has {} open requests, the most allowed"),
            (pending, self.pending, "{} requests of your account wait for a decision, the most allowed"),
        )
        full = ((found, text.format(len(found))) for found, most, text in checks if len(found) >= most)
        return next((Refusal(reason, _wait(found, now)) for found, reason in full), None)


class Refusal(NamedTuple):
    """Why not, and after how many seconds it is worth trying again."""

    reason: str
    retry_after: int


def _wait(held: Sequence[OpenRequest], now: datetime) -> int:
    """Until the first of them lapses or ends, in seconds: at least a minute, at most an hour."""
    next_due = min((one.due for one in held if one.due is not None), default=0)
    return min(max(next_due - int(now.timestamp()), _SOONEST), _LATEST)
