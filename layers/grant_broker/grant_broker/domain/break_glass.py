"""Break-glass: named principals of a key take a short grant at once, so often a day; a review is owed."""

from datetime import datetime
from typing import ClassVar, TypedDict

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.errors import Conflict
from grant_broker.domain.records import ChangeOf, Record
from grant_broker.domain.stored import Table
from grant_broker.domain.texts import Reason
from grant_broker.domain.times import Time
from grant_broker.domain.versions import revise


class Emergency(BaseModel):
    """What is sent to break the glass: why nobody can be waited for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason


class BrokenGlass(BaseModel):
    """That a request was granted by break-glass: by whom, why, when; `idempotency` knows the call again."""

    model_config = ConfigDict(frozen=True)

    by: str
    person: str
    reason: str
    at: Time
    idempotency: str | None = None


def day_of(begun: datetime) -> str:
    """The day, in UTC, that a grant is counted for whose intent was stored at a moment."""
    return begun.date().isoformat()


class GlassDayChanges(TypedDict):
    """What one more grant sets."""

    request_ids: tuple[str, ...]


class GlassDay(Record):
    """The requests that were granted on one key on one day by break-glass, as `requests` counts them.

    Written in the transaction that stores the intent, on the version that was read: of two that race for the
    last one of the day, one is stored.
    """

    TABLE: ClassVar = Table.REQUESTS
    SORT_KEY: ClassVar = "day"

    key_arn: str
    day: str
    request_ids: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The partition of the key's day."""
        return f"break-glass#{self.key_arn}#{self.day}"

    def taken(self, request_id: str, *, per_day: int) -> "ChangeOf[GlassDay]":
        """With one more; Conflict where the day's are used up."""
        if len(self.request_ids) >= per_day:
            raise Conflict(
                f"break-glass was used {len(self.request_ids)} times today on this key, and no more is "
                "allowed: ask the security team to decide on the request"
            )
        return revise(self, GlassDayChanges(request_ids=(*self.request_ids, request_id)))
