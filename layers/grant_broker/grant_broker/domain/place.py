"""What reconcile keeps from one run to the next where it alone may write."""

from datetime import datetime, timedelta
from typing import ClassVar, TypedDict

from grant_broker.domain.records import ChangeOf, Record
from grant_broker.domain.stored import Table
from grant_broker.domain.times import Time
from grant_broker.domain.versions import revise

_NOT_BELIEVED = timedelta(minutes=15)


class PlaceChanges(TypedDict, total=False):
    """What a change of any place may set."""

    marker: str | None
    finished_at: datetime
    not_believed_until: datetime


class Place(Record):
    """How far a pass has got: `marker` is where it goes on, None at the beginning."""

    TABLE: ClassVar = Table.REQUESTS
    SORT_KEY: ClassVar = "reconcile"

    marker: str | None = None
    finished_at: Time | None = None
    """When the last whole pass came to its end."""


class EndsPlace(Place):
    """Until when the agenda is not to be believed: reconcile saw no live grants behind many of its ends."""

    not_believed_until: Time | None = None

    @property
    def subject(self) -> str:
        """Its partition, which only reconcile writes."""
        return "reconcile#ends"

    def is_believed(self, now: datetime) -> bool:
        """Whether what the agenda says is believed."""
        return self.not_believed_until is None or now >= self.not_believed_until

    def not_believed(self, now: datetime) -> "ChangeOf[EndsPlace]":
        """Not believed for so long that some runs may fail: each run that finds the same says it again."""
        return revise(self, PlaceChanges(not_believed_until=now + _NOT_BELIEVED))
