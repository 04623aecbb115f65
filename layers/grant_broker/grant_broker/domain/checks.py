"""Whether the broker could create and end grants on a key when it last tried, and what it lacked."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, NamedTuple, TypedDict

from grant_broker.domain.records import ChangeOf, Record, Stamp
from grant_broker.domain.stored import Table
from grant_broker.domain.times import EpochSecond, Time
from grant_broker.domain.trail import Json
from grant_broker.domain.versions import record_event, revise

EVERY = timedelta(hours=1)
FAILED_AGAIN = timedelta(minutes=5)
"""A failed check is repeated sooner: a mended key opens soon, and until then the alarm stays on."""
UNKNOWN_AGAIN = timedelta(minutes=1)
BY = "check"


class CheckChanges(TypedDict, total=False):
    """What a change may set."""

    result: "Result | None"
    checked_at: datetime
    missing: tuple[str, ...]
    due: int | None


class Function(StrEnum):
    """Which function checks its own right: to create grants, to end them."""

    REQUESTS = "requests"
    EXPIRY = "expiry"


class Result(StrEnum):
    """How a check came out."""

    PASSED = "passed"
    FAILED = "failed"


class CheckOutcome(NamedTuple):
    """What a check found. `result` None: nothing certain, for which nobody is refused."""

    result: Result | None
    missing: tuple[str, ...] = ()

    @classmethod
    def of(cls, *missing: str) -> "CheckOutcome":
        """Failed where something is missing, else passed."""
        return cls(Result.FAILED if missing else Result.PASSED, missing)


UNKNOWN = CheckOutcome(None)


class Check(Record):
    """The last check of one function on one key. `result` None: there was none yet, or nothing was certain.

    `missing` says in words what the function lacks. `due` is when it checks next, in epoch seconds; None on
    a closed key.
    """

    TABLE: ClassVar = Table.REQUESTS
    SORT_KEY: ClassVar = "check"

    function: Function
    key_arn: str
    result: Result | None = None
    checked_at: Time | None = None
    missing: tuple[str, ...] = ()
    due: EpochSecond | None = None

    @property
    def subject(self) -> str:
        """The partition of the check and of its trail."""
        return f"check#{self.function}#{self.key_arn}"

    def agenda(self, shards: int) -> str | None:  # noqa: ARG002 - checks are few
        """The partition of the agenda of its function's checks, while it is due at all."""
        return None if self.due is None else f"check#{self.function}"

    @property
    def failed(self) -> bool:
        """Whether the key is not grantable by this check."""
        return self.result == Result.FAILED

    def requested(self, now: datetime) -> "ChangeOf[Check]":
        """Due at once."""
        return revise(self, CheckChanges(due=int(now.timestamp())))

    def stopped(self) -> "ChangeOf[Check]":
        """Not due any more."""
        return revise(self, CheckChanges(due=None))

    def unanswered(self, now: datetime) -> "ChangeOf[Check]":
        """Put off, since KMS did not answer: what was known stays."""
        return revise(self, CheckChanges(due=int((now + UNKNOWN_AGAIN).timestamp())))

    def done(self, found: CheckOutcome, stamp: Stamp) -> "ChangeOf[Check]":
        """What the check found; an event where the key begins to fail, or fails no more."""
        fails = found.result == Result.FAILED
        due = int((stamp.at + (FAILED_AGAIN if fails else EVERY)).timestamp())
        changes = CheckChanges(result=found.result, checked_at=stamp.at, missing=found.missing, due=due)
        if self.failed == fails:
            return revise(self, changes)
        detail: Json = {"function": str(self.function), "key": self.key_arn, "missing": list(found.missing)}
        return record_event(self, f"check_{found.result or 'unknown'}", stamp, detail, changes)


class KeyChecks(NamedTuple):
    """The last checks of both functions on one key."""

    create: Check
    end: Check

    @property
    def grantable(self) -> bool | None:
        """Whether grants may be made on the key; None until that is known."""
        results = {self.create.result, self.end.result}
        if Result.FAILED in results:
            return False
        return None if None in results else True

    @property
    def refusal(self) -> str | None:
        """Why no grant may be made on the key, None where one may: so also where nothing is known."""
        if self.create.failed or self.end.failed:
            return "the key's last check failed: the broker could not create or end grants on it"
        return None
