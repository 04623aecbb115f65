"""Recurring windows of a standing approval: hours of some days of the week, by the clocks of a time zone.

A window is a whole run of instants whose local time lies in its hours. So where clocks are put forward it is
shorter, or is not at all; where they are put back it is longer, or there are two runs. What decides is never
how many hours somebody counts, only what clocks on the wall show from a grant's first instant to its last.
"""

import re
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from enum import StrEnum
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from grant_broker.domain.texts import Form

_DAY = timedelta(days=1)
_STEP = timedelta(hours=12)
"""No zone changes its clocks twice within so long."""
MOST = 20


class Day(StrEnum):
    """A day of the week, in the order of `date.weekday`."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_LocalTime = Annotated[
    str, Form(re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"), "give a local time from 00:00 to 23:59")
]
_ZONE = "give a time zone of the IANA database, such as Europe/Berlin or UTC"
_TimeZone = Annotated[str, Form(re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}"), _ZONE)]
_Days = Annotated[
    tuple[Day, ...],
    Field(min_length=1, max_length=7),
    AfterValidator(lambda days: tuple(day for day in Day if day in days)),
]


class Window(BaseModel):
    """Hours of some days: from a local time until another one, on the day after where that is no later.

    `days` are those on which it begins. Of days that follow without a gap between, the hours are one run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    days: _Days
    begins: _LocalTime = Field(alias="from")
    ends: _LocalTime = Field(alias="to")
    time_zone: _TimeZone

    @property
    def in_words(self) -> str:
        """All of it on a line, such as mon-fri 22:00-06:00 Europe/Berlin."""
        return f"{days_in_words(self.days)} {self.begins}-{self.ends} {self.time_zone}"

    @property
    def is_known(self) -> bool:
        """Whether there is such a time zone. Of what is stored one may be gone from the database since."""
        return self.time_zone in _names()

    def holds(self, since: datetime, until: datetime) -> bool:
        """Whether every instant from one until another is in it; then one run of it holds them all."""
        if not self.is_known:
            return False
        return all(self._shows(first, last) for first, last in _wall_clock(self.time_zone, since, until))

    def _shows(self, first: datetime, last: datetime) -> bool:
        """Whether clocks that go on evenly from one local time until another stay in its hours."""
        while first < last:
            until = self._end_of_hours(first)
            if until is None:
                return False
            first = until
        return True

    def _end_of_hours(self, local: datetime) -> datetime | None:
        """When the hours that a local time is in are over; None where it is in none."""
        over_midnight = _DAY if self.ends <= self.begins else timedelta()
        for day in (local.date(), local.date() - _DAY):
            since, until = _at(day, self.begins), _at(day, self.ends) + over_midnight
            if list(Day)[day.weekday()] in self.days and since <= local < until:
                return until
        return None


def days_in_words(days: Collection[str]) -> str:
    """Days of the week, those that follow one another joined: mon-wed,fri."""
    chosen = "".join("x" if day in days else " " for day in Day)
    runs = [list(Day)[run.start() : run.end()] for run in re.finditer("x+", chosen)]
    return ",".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


Windows = Annotated[tuple[Window, ...], Field(min_length=1, max_length=MOST)]


def _in_known_zones(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    if unknown := [window.time_zone for window in windows if not window.is_known]:
        raise ValueError(f"{', '.join(unknown)}: {_ZONE}")
    return windows


AskedWindows = Annotated[Windows, AfterValidator(_in_known_zones)]
"""As submitted. What is stored is read whatever the present database knows."""


def within_one(windows: Collection[Window], since: datetime, until: datetime) -> bool:
    """Whether one of the windows holds every instant from one until another."""
    return any(window.holds(since, until) for window in windows)


def _at(day: date, local_time: str) -> datetime:
    return datetime.combine(day, clock_time.fromisoformat(local_time))


def _wall_clock(zone: str, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """What the clocks show from one instant until another, in pieces in which they go on evenly."""
    while since < until:
        offset, ahead = _offset(zone, since), min(since + _STEP, until)
        if _offset(zone, ahead) != offset:
            ahead = _change_of_clocks(zone, since, ahead)
        yield (since + offset).replace(tzinfo=None), (ahead + offset).replace(tzinfo=None)
        since = ahead


def _change_of_clocks(zone: str, before: datetime, after: datetime) -> datetime:
    """The instant between two at which clocks change, which is a whole second."""
    offset = _offset(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _offset(zone: str, at: datetime) -> timedelta:
    return at.astimezone(_zone(zone)).utcoffset() or timedelta()


# The database is the package tzdata and never the system's: all functions must judge by the same one, and
# Lambda's system may have none. It is loaded by whoever meets a window, since most stacks have none.
@cache
def _zone(name: str) -> ZoneInfo:
    from importlib.resources import files  # noqa: PLC0415

    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def _names() -> frozenset[str]:
    from importlib.resources import files  # noqa: PLC0415

    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())
