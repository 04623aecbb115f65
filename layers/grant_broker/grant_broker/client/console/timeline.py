"""Live grants as a picture: a row for each grant, its life as a bar, now as a line.

Pure: a template draws it. Places along the time are per cent of the picture's width: it fits any
window, and its text is not scaled.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from grant_broker.client.printing import distance

if TYPE_CHECKING:
    from grant_broker.api.shapes.requests import RequestSeen

SPANS = {15: 5, 60: 10, 240: 60, 720: 120}
"""Minutes that a picture may look ahead, and the minutes between its marks."""
LIVE = ("active", "issuing", "ending")
_PAST = 8
"""One part of so many is what was."""
_SOON = timedelta(minutes=5)
_TOP, _ROW = 26, 46
"""Pixels of the marks' words, and of a grant."""


@dataclass(frozen=True)
class Mark:
    """A time that is written above the picture."""

    place: float
    words: str


@dataclass(frozen=True)
class Bar:
    """A grant's life within the picture. `end`: how far its end is from now, in words."""

    request: "RequestSeen"
    state: Literal["live", "soon", "over"]
    start: float
    width: float
    top: int
    end: str


@dataclass(frozen=True)
class Picture:
    """The grants of one key."""

    key: str
    marks: Sequence[Mark]
    now: float
    bars: Sequence[Bar]
    height: int


@dataclass(frozen=True)
class Window:
    """The time that a picture shows: `minutes` ahead, and a little of what was."""

    now: datetime
    minutes: int

    @property
    def start(self) -> datetime:
        """Where it begins."""
        return self.now - timedelta(minutes=self.minutes) / (_PAST - 1)

    def place(self, time: datetime) -> float:
        """Per cent of the width; what is outside is at the edge."""
        whole = timedelta(minutes=self.minutes) * _PAST / (_PAST - 1)
        return round(min(max((time - self.start) / whole, 0), 1) * 100, 3)

    def marks(self) -> list[Mark]:
        """Round times, each at its place."""
        step = timedelta(minutes=SPANS[self.minutes])
        midnight = self.start.replace(hour=0, minute=0, second=0, microsecond=0)
        first = midnight + step * ((self.start - midnight) // step + 1)
        count = (self.now + timedelta(minutes=self.minutes) - first) // step + 1
        times = [first + step * number for number in range(count)]
        return [Mark(self.place(time), f"{time:%H:%M}") for time in times]


def draw(requests: Iterable["RequestSeen"], window: Window) -> list[Picture]:
    """A picture for each key that has grants in the window, what ends first at the top."""
    lives = [(life, request) for request in requests if (life := _life(request, window))]
    lives.sort(key=lambda found: (found[0][1], found[1]["id"]))
    keys = sorted({request["key"] for _, request in lives})
    return [
        _picture(key, [(life, request) for life, request in lives if request["key"] == key], window)
        for key in keys
    ]


def _life(request: "RequestSeen", window: Window) -> tuple[datetime, datetime] | None:
    """From when to when the grant lives, None where it has no part in the window."""
    grant = request["grant"]
    # By its key's margin a grant may be ended before it expires.
    until = request["ended_at"] or (grant and grant["ends_at"]) or request["expires_at"]
    if until is None or (grant is None and request["status"] not in LIVE):
        return None
    since = (grant and grant["issued_at"]) or request["created_at"]
    life = datetime.fromisoformat(since), datetime.fromisoformat(until)
    return life if life[1] > window.start else None


def _picture(
    key: str, lives: Sequence[tuple[tuple[datetime, datetime], "RequestSeen"]], window: Window
) -> Picture:
    bars = [_bar(life, request, window, _TOP + _ROW * number) for number, (life, request) in enumerate(lives)]
    return Picture(key, window.marks(), window.place(window.now), bars, _TOP + _ROW * len(bars))


def _bar(life: tuple[datetime, datetime], request: "RequestSeen", window: Window, top: int) -> Bar:
    start, end = map(window.place, life)
    state: Literal["live", "soon", "over"] = "soon" if life[1] - window.now < _SOON else "live"
    if request["status"] not in LIVE:
        state = "over"
    return Bar(request, state, start, round(end - start, 3), top, distance(life[1], window.now))
