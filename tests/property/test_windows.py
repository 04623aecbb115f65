"""Windows against a second implementation: minute by minute, by what the clocks of the zone show."""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from grant_broker.domain.windows import Day, Window

MINUTE = timedelta(minutes=1)
NAMES = [day.value for day in Day]
# Whose clocks change by an hour or less, at midnight, by Ramadan, across a whole day, or never.
ZONES = (
    "Europe/Berlin", "America/New_York", "America/Havana", "America/St_Johns", "Australia/Lord_Howe",
    "Asia/Beirut", "Africa/Cairo", "Africa/Casablanca", "Pacific/Apia", "Asia/Kathmandu", "UTC",
)  # fmt: skip
MINUTES = st.integers(0, 24 * 60 - 1)


@cache
def zone_of(name: str) -> ZoneInfo:
    """A zone by the pinned database: the machine's own may be of another year."""
    with (files("tzdata") / "zoneinfo" / name).open("rb") as file:
        return ZoneInfo.from_file(file)


def changes(zone: str) -> list[datetime]:
    """The hours in some years within which the zone's clocks change."""
    known, first = zone_of(zone), datetime(2011, 1, 1, tzinfo=UTC)
    hours = [first + timedelta(hours=number) for number in range(366 * 24)]
    hours += [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number) for number in range(366 * 24)]
    offsets = [(hour, hour.astimezone(known).utcoffset()) for hour in hours]
    return [one for (one, before), (_, after) in pairwise(offsets) if before != after] or [first]


CHANGES = {zone: changes(zone) for zone in ZONES}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Window, datetime, int]:
    """A window, and a time of some minutes most often near a change of the zone's clocks."""
    zone = draw(st.sampled_from(ZONES))
    begins = draw(st.sampled_from(CHANGES[zone])) + MINUTE * draw(st.integers(-3000, 3000))
    local = begins.astimezone(zone_of(zone))
    at = local.hour * 60 + local.minute
    near = st.integers(-200, 200).map(lambda more: (at + more) % (24 * 60))
    since, until = draw(MINUTES | near), draw(MINUTES | near)
    days = draw(st.sets(st.sampled_from(NAMES), min_size=1)) | draw(st.sampled_from([set(), set(NAMES)]))
    length = draw(st.integers(1, 120) | st.integers(1, 4000))
    return window(days, since, until, zone), begins, length


def window(days: set[str], since: int, until: int, zone: str) -> Window:
    """A window by the minutes of a day."""
    times = {"from": f"{since // 60:02}:{since % 60:02}", "to": f"{until // 60:02}:{until % 60:02}"}
    return Window.model_validate({"days": sorted(days), **times, "time_zone": zone})


def is_in(tried: Window, minute: datetime) -> bool:
    """Whether the clocks show a time of the window: of a day that it begins on, or of the day after."""
    local = minute.astimezone(zone_of(tried.time_zone))
    today, yesterday = NAMES[local.weekday()], NAMES[(local.weekday() - 1) % 7]
    shown, since, until = f"{local.hour:02}:{local.minute:02}", tried.begins, tried.ends
    if since < until:
        return today in tried.days and since <= shown < until
    return (today in tried.days and since <= shown) or (yesterday in tried.days and shown < until)


def utc(text: str) -> datetime:
    """A UTC time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


ALL = set(NAMES)


@settings(max_examples=400)
@given(cases())
@example((window(ALL, 120, 180, "Europe/Berlin"), utc("2026-03-29T00:59"), 2))
@example((window(ALL, 120, 180, "Europe/Berlin"), utc("2026-10-25T00:00"), 120))
@example((window(ALL, 150, 180, "Europe/Berlin"), utc("2026-10-25T00:30"), 90))
@example((window({"sat"}, 1320, 120, "Asia/Beirut"), utc("2026-03-28T20:00"), 180))
@example((window({"thu"}, 1320, 360, "Pacific/Apia"), utc("2011-12-30T09:00"), 60))
def test_the_same_as_minute_by_minute(case: tuple[Window, datetime, int]) -> None:
    """A time is within one run of a window if the clocks show its hours in every single minute of it."""
    tried, begins, length = case
    every = all(is_in(tried, begins + MINUTE * number) for number in range(length))
    assert tried.holds(begins, begins + MINUTE * length) is every
