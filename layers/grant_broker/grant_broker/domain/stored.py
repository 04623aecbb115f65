"""What is stored, and where: two tables, and lists over them in order of time."""

from abc import ABC, abstractmethod
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel


class Table(StrEnum):
    """The two tables: who may write what is stored depends on which of them it is in."""

    REQUESTS = "requests"
    APPROVALS = "approvals"


class Stored(BaseModel, ABC):
    """An item of one of the tables, which names its place there."""

    TABLE: ClassVar[Table]

    @property
    @abstractmethod
    def key(self) -> tuple[str, str]:
        """The primary key: partition key and sort key."""

    @property
    def indexed(self) -> dict[str, object]:
        """What only indexes need: what it is listed under, and its place in the list."""
        return {}

    def agenda(self, shards: int) -> str | None:  # noqa: ARG002 - one of so many, where there are many
        """The partition of the agenda that it has an entry in; None: it is not on the agenda."""
        return None


def listed_from(at: datetime) -> str:
    """Where in a list a moment stands: before whatever happened in its millisecond."""
    return f"{int(at.timestamp() * 1000):013d}"


def listed_at(at: datetime, name: str) -> str:
    """The place in a list of what happened at a moment."""
    return f"{listed_from(at)}#{name}"
