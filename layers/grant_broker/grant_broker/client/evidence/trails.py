"""The audit trail, subject by subject, as far as a period goes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from grant_broker.domain.trail import Event
from grant_broker.domain.usage import Usage
from grant_broker.events.export import Closing, Line


@dataclass(frozen=True)
class Period:
    """From a moment on, until before another."""

    since: datetime
    until: datetime

    def meets(self, begun: datetime, over: datetime | None) -> bool:
        """Whether something that began, and is over or not, was there at any time of it."""
        return begun < self.until and (over is None or over >= self.since)

    def holds(self, at: datetime) -> bool:
        """Whether a moment is in it."""
        return self.since <= at < self.until


@dataclass
class Trail:
    """What happened to one subject, in order."""

    subject: str
    events: list[Event] = field(default_factory=list)
    absent_at: datetime | None = None
    usage: Usage | None = None

    @property
    def kind(self) -> str:
        """Of the subject: request, approval, key, account or another."""
        return self.subject.partition("#")[0]

    @property
    def id(self) -> str:
        """Of the subject, among its kind."""
        return self.subject.partition("#")[2]

    def find(self, *types: str) -> Event | None:
        """The last event of these types."""
        return next((event for event in reversed(self.events) if event.type in types), None)

    def all(self, *types: str) -> list[Event]:
        """Every event of these types."""
        return [event for event in self.events if event.type in types]


def trails_of(lines: Iterable[Line]) -> tuple[list[Trail], Closing | None]:
    """All trails of an export, and its closing line."""
    found: dict[str, Trail] = {}
    closing = None
    for line in lines:
        subject = line.event.subject if line.event else line.subject
        if subject is not None:
            trail = found.setdefault(subject, Trail(subject))
            trail.events += [line.event] if line.event else []
            trail.absent_at = line.absent_at or trail.absent_at
            trail.usage = line.usage or trail.usage
        closing = line.closing or closing
    return list(found.values()), closing


def by_kind(trails: Sequence[Trail]) -> dict[str, list[Trail]]:
    """The trails of each kind."""
    kinds: dict[str, list[Trail]] = defaultdict(list)
    for trail in trails:
        kinds[trail.kind].append(trail)
    return kinds
