"""What is stored, and the changes of it: each version is written together with the event that explains it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.times import milliseconds
from grant_broker.domain.trail import GENESIS, Event


class Record(BaseModel, ABC):
    """Something stored whose every change is an event on its own trail.

    `version` counts writes: a writer names the version it read, so that of two writers one wins.
    """

    # A record that cannot be read is reported to a log, which must not see a grant token.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    version: int = 0
    events: int = 0
    last_hash: str = GENESIS

    @property
    @abstractmethod
    def subject(self) -> str:
        """The partition key of the record and of its trail."""

    def changed(self, **changes: Any) -> "ChangeOf[Self]":  # noqa: ANN401 - any field of the record
        """The next version without an event: bookkeeping that is no transition (a back-off, a claim)."""
        return ChangeOf(self.model_copy(update={**changes, "version": self.version + 1}), None)

    def recorded(
        self,
        event_type: str,
        *,
        at: datetime,
        by: str,
        event_id: str,
        detail: dict[str, Any] | None = None,
        **changes: Any,  # noqa: ANN401 - any field of the record
    ) -> "ChangeOf[Self]":
        """The next version together with the event that says what happened."""
        event = Event(
            id=event_id,
            subject=self.subject,
            sequence=self.events + 1,
            at=milliseconds(at),
            type=event_type,
            by=by,
            request_id=self.subject.removeprefix("request#") if self.subject.startswith("request#") else None,
            detail=detail or {},
            previous=self.last_hash,
        ).sealed()
        head = {"version": self.version + 1, "events": event.sequence, "last_hash": event.hash}
        return ChangeOf(self.model_copy(update={**changes, **head}), event)


R_co = TypeVar("R_co", bound=Record, covariant=True)


@dataclass(frozen=True)
class ChangeOf(Generic[R_co]):
    """A record's next version and, where the change is a transition, the event of it: written together."""

    record: R_co
    event: Event | None


Change = ChangeOf[Record]
