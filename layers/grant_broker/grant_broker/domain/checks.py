"""Whether the broker could create and end grants on a key when it last tried, and what it lacked."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from grant_broker.domain.records import ChangeOf, Record
from grant_broker.domain.times import Time, milliseconds

EVERY = timedelta(hours=1)
FAILED_AGAIN = timedelta(minutes=5)
"""A failed check is repeated sooner: a mended key opens soon, and until then the alarm stays on."""
UNKNOWN_AGAIN = timedelta(minutes=1)
BY = "check"


class Function(StrEnum):
    """Which function checks its own right: to create grants, to end them."""

    REQUESTS = "requests"
    EXPIRY = "expiry"


class Result(StrEnum):
    """How a check came out."""

    PASSED = "passed"
    FAILED = "failed"


class Check(Record):
    """The last check of one function on one key. `result` None: there was none yet.

    `missing` says in words what the function lacks. `due` is when it checks next, in epoch seconds; None on
    a closed key.
    """

    function: Function
    key_arn: str
    result: Result | None = None
    checked_at: Time | None = None
    missing: tuple[str, ...] = ()
    due: int | None = None

    @property
    def subject(self) -> str:
        """The partition of the check and of its trail."""
        return f"check#{self.function}#{self.key_arn}"

    @property
    def failed(self) -> bool:
        """Whether the key is not grantable by this check."""
        return self.result == Result.FAILED

    def asked(self, now: datetime) -> "ChangeOf[Check]":
        """Due at once."""
        return self.changed(due=int(now.timestamp()))

    def stopped(self) -> "ChangeOf[Check]":
        """Not due any more."""
        return self.changed(due=None)

    def unknown(self, now: datetime) -> "ChangeOf[Check]":
        """Put off, since KMS did not answer: what was known stays."""
        return self.changed(due=int((now + UNKNOWN_AGAIN).timestamp()))

    def done(self, missing: tuple[str, ...], *, now: datetime, event_id: str) -> "ChangeOf[Check]":
        """What the check found; an event where the key begins to fail or to pass again."""
        result = Result.FAILED if missing else Result.PASSED
        due = int((now + (FAILED_AGAIN if missing else EVERY)).timestamp())
        changes: dict[str, Any] = {
            "result": result,
            "checked_at": milliseconds(now),
            "missing": missing,
            "due": due,
        }
        if self.failed == bool(missing):
            return self.changed(**changes)
        detail = {"function": str(self.function), "key": self.key_arn, "missing": list(missing)}
        return self.recorded(f"check_{result}", at=now, by=BY, event_id=event_id, detail=detail, **changes)
