"""Durations (ISO 8601) and times (RFC 3339, UTC) as the API reads and writes them."""

import re
from datetime import UTC, datetime
from fractions import Fraction
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from grant_broker.domain.texts import ecma

LONGEST = 3650 * 86_400
"""The longest duration that is read at all, in seconds: ten years. Every limit is far below."""

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""No time of ours is as late as this: what a model reads stays far from where arithmetic overflows."""
_PARTS = (("weeks", 604_800), ("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
_NUMBER = r"[0-9]{1,10}(?:[.,][0-9]{1,9})?"
_DURATION = re.compile(
    rf"P(?=[0-9T])(?:(?P<weeks>{_NUMBER})W)?(?:(?P<days>{_NUMBER})D)?"
    rf"(?:T(?=[0-9])(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?",
    re.ASCII,
)
_NONE = {"PT0S", "PT0M", "PT0H", "P0D"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z", re.ASCII)


def parse_duration(text: object) -> int:
    """Whole seconds, 1 to LONGEST, of an ISO 8601 duration without years and months; ValueError else."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise ValueError("give an ISO 8601 duration without years and months, such as PT2H")
    given = [(match[name], size) for name, size in _PARTS if match[name]]
    # ISO 8601 allows a fraction in the last part only.
    if any(not number.isdigit() for number, _ in given[:-1]):
        raise ValueError("only the last part of a duration may have a fraction")
    return _in_range(sum((Fraction(number.replace(",", ".")) * size for number, size in given), Fraction()))


def parse_span(text: object) -> int:
    """As `parse_duration`, or 0, written `PT0S`."""
    return 0 if isinstance(text, str) and text in _NONE else parse_duration(text)


def _in_range(seconds: Fraction) -> int:
    if seconds.denominator != 1 or not 1 <= seconds <= LONGEST:
        raise ValueError("a duration is a whole number of seconds, at least PT1S and at most P3650D")
    return int(seconds)


def format_duration(seconds: int) -> str:
    """The normal form: days, hours, minutes and seconds, each only where it is not zero."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    date = f"{days}D" if days else ""
    time = "".join(
        f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if number
    )
    return f"P{date}{'T' if time else ''}{time}" if seconds else "PT0S"


def parse_time(text: object) -> datetime:
    """The UTC time of an RFC 3339 text that ends in Z, cut to milliseconds; ValueError for anything else.

    A time that is one already is cut as well: every model's times are stored and shown in milliseconds.
    """
    if isinstance(text, datetime):
        return _bounded(milliseconds(text))
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValueError("give an RFC 3339 time in UTC, such as 2026-01-31T09:30:00Z")
    return _bounded(milliseconds(datetime.fromisoformat(text)))


def _bounded(time: datetime) -> datetime:
    if not _EARLIEST <= time < LATEST:
        raise ValueError("give a time from 1970 on, before the year 2200")
    return time


def format_time(time: datetime) -> str:
    """RFC 3339 in UTC: whole seconds, or milliseconds where there are any."""
    utc = time.astimezone(UTC)
    spec = "milliseconds" if utc.microsecond >= 1000 else "seconds"  # noqa: PLR2004
    return utc.isoformat(timespec=spec).replace("+00:00", "Z")


def format_time_or_none(time: datetime | None) -> str | None:
    """RFC 3339 in UTC; None for a time that is not known yet."""
    return format_time(time) if time else None


def from_epoch(seconds: int) -> datetime:
    """The UTC time of whole seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def milliseconds(time: datetime) -> datetime:
    """The time cut to milliseconds, which is what is stored and shown."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": ecma(_DURATION), "examples": ["PT2H"]}),
]
Span = Annotated[
    int,
    BeforeValidator(parse_span),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": ecma(_DURATION), "examples": ["PT30S"]}),
]
"""A duration that may be none."""
SpanSeconds = Annotated[
    int,
    Field(ge=0, le=LONGEST),
    BeforeValidator(lambda value: parse_span(value) if isinstance(value, str) else value),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]
"""The same inside the broker: whole seconds, 0 to LONGEST, stored as ISO 8601."""
Seconds = Annotated[
    int,
    BeforeValidator(lambda value: parse_duration(value) if isinstance(value, str) else value),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
]
"""A duration inside the broker: whole seconds, stored as ISO 8601."""
EpochSecond = Annotated[int, Field(ge=0, lt=int(LATEST.timestamp()))]
"""Whole seconds since 1970, within the same bounds as a time."""
Time = Annotated[
    datetime,
    BeforeValidator(parse_time),
    PlainSerializer(format_time, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": ecma(_TIME), "examples": ["2026-01-31T09:30:00Z"]}),
]
