"""What reconcile keeps from one run to the next, where it alone may write."""

from typing import TypedDict

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.records import ChangeOf, Record, Stamp
from grant_broker.domain.versions import record_event


class Elsewhere(BaseModel):
    """Grants that name `expiry`'s role and are not the broker's: how many, and which accounts issued most."""

    model_config = ConfigDict(frozen=True)

    grants: int = 0
    accounts: dict[str, int] = {}


class PlaceChanges(TypedDict, total=False):
    """What a change may set."""

    elsewhere: Elsewhere


class Place(Record):
    """What the last run left for the next one. There is one item of it."""

    elsewhere: Elsewhere = Elsewhere()

    @property
    def subject(self) -> str:
        """Its partition, which only reconcile writes."""
        return "reconcile#place"

    def counted(self, elsewhere: Elsewhere, stamp: Stamp) -> "ChangeOf[Place]":
        """Told what else names the role: one event, however many grants anybody has made."""
        changes = PlaceChanges(elsewhere=elsewhere)
        return record_event(self, "grants_elsewhere", stamp, elsewhere.model_dump(), changes)
