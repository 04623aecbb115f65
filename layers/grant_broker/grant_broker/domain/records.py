"""What is stored, and its changes: each version is written together with the event that explains it."""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, NamedTuple, TypeVar

from pydantic import ConfigDict

from grant_broker.domain.stored import Stored
from grant_broker.domain.trail import GENESIS, Event, Json


class Record(Stored):
    """Something stored whose every change is an event on its own trail.

    `version` counts writes: a writer names the version it read, so that of two writers one wins. Changes are
    made by the named transitions of each record alone, through `grant_broker.domain.versions`.
    """

    # A record that cannot be read is reported to a log, which must not see a grant token.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    SORT_KEY: ClassVar[str]

    version: int = 0
    events: int = 0
    last_hash: str = GENESIS

    @property
    def in_every_event(self) -> Json:
        """What each of its events also tells, for whoever reads that event alone."""
        return {}

    @property
    @abstractmethod
    def subject(self) -> str:
        """The partition key of the record and of its trail."""

    @property
    def key(self) -> tuple[str, str]:
        """The primary key: the record in its subject's partition."""
        return self.subject, self.SORT_KEY


class Stamp(NamedTuple):
    """When a change is made, by whom (a caller's ARN, or a function's name), and the id of its event."""

    at: datetime
    by: str
    event_id: str


R_co = TypeVar("R_co", bound=Record, covariant=True)


@dataclass(frozen=True)
class ChangeOf(Generic[R_co]):
    """A record's next version and, where the change is a transition, the event of it: written together.

    `drift`: the change puts right what KMS and the records disagreed about.
    """

    record: R_co
    event: Event | None
    drift: bool = False


Change = ChangeOf[Record]
