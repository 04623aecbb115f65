"""Durations and times as the API reads and writes them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from grant_broker.domain.times import (
    LONGEST,
    Duration,
    Seconds,
    Span,
    SpanSeconds,
    Time,
    format_duration,
    format_time,
    from_epoch,
    milliseconds,
    parse_duration,
    parse_time,
)


@pytest.mark.parametrize(
    ("text", "seconds", "normal"),
    [
        ("PT2H", 7200, "PT2H"),
        ("PT90M", 5400, "PT1H30M"),
        ("PT7200S", 7200, "PT2H"),
        ("PT0.5H", 1800, "PT30M"),
        ("PT0,5H", 1800, "PT30M"),
        ("P0.5D", 43_200, "PT12H"),
        ("P1DT2H", 93_600, "P1DT2H"),
        ("P1W", 604_800, "P7D"),
        ("P1WT1S", 604_801, "P7DT1S"),
        ("PT1H30M15S", 5415, "PT1H30M15S"),
        ("PT0H90M", 5400, "PT1H30M"),
        ("PT1S", 1, "PT1S"),
        ("P3650D", LONGEST, "P3650D"),
    ],
)
def test_duration(text: str, seconds: int, normal: str) -> None:
    """Every ISO 8601 form without years and months is read, and written back in one normal form."""
    assert parse_duration(text) == seconds
    assert format_duration(seconds) == normal


@pytest.mark.parametrize(
    "text",
    [
        *("", "P", "PT", "P1DT", "2H", "PT2", "P2H", "PT2D", "pt2h", "PT2h", " PT2H", "PT2H ", "PT2H\n"),
        *("-PT2H", "PT-2H", "+PT2H", "PT+2H", "P1Y", "P1M", "P1Y2M", "P1M2D", "PT1H2H", "PT2M1H", "PT1S1H"),
        *(
            "PT0S",
            "P0D",
            "PT0.0H",
            "PT0.5S",
            "PT1.5S",
            "PT0.0001H",
            "PT1.5H30M",
            "P1.5DT1H",
            "PT.5H",
            "PT5.H",
        ),
        *(
            "P3651D",
            "P99999999999D",
            "PT315360001S",
            "PT1e3S",
            "PTinfS",
            "PTNaNS",
            "PT٢H",
            "PT2H3",
            "2:00:00",
        ),
    ],
)
def test_no_duration(text: str) -> None:
    """Years, months, signs, fractions in the middle, nothing, zero and more than ten years are refused."""
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "seconds"), [("PT0S", 0), ("P0D", 0), ("PT90S", 90)])
def test_span(text: str, seconds: int) -> None:
    """A span may be none, which has one normal form as well."""
    found = TypeAdapter(Span).validate_python(text)
    assert (found, format_duration(found)) == (seconds, "PT1M30S" if seconds else "PT0S")


@pytest.mark.parametrize("value", [0, 90, None, [], "", "0", "-PT1S"])
def test_no_span(value: Any) -> None:
    """A number is no span, and none is below zero."""
    with pytest.raises(ValidationError):
        TypeAdapter(Span).validate_python(value)


@pytest.mark.parametrize(("value", "seconds"), [("PT0S", 0), ("PT90S", 90), (0, 0), (90, 90)])
def test_stored_span(value: Any, seconds: int) -> None:
    """A record's spans are read from what is stored, and set as seconds."""
    assert TypeAdapter(SpanSeconds).validate_python(value) == seconds
    for beyond in (-1, LONGEST + 1):
        with pytest.raises(ValidationError):
            TypeAdapter(SpanSeconds).validate_python(beyond)


@pytest.mark.parametrize("value", [7200, 7200.0, True, None, ["PT2H"], {"hours": 2}])
def test_duration_is_text(value: Any) -> None:
    """A number is no duration: nobody would know of what unit."""
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(value)


@given(st.integers(1, LONGEST))
def test_duration_round_trip(seconds: int) -> None:
    """What is written is read as the same, by the API and by the tables."""
    text = TypeAdapter(Duration).dump_python(seconds, mode="json")
    assert TypeAdapter(Duration).validate_python(text) == seconds
    assert TypeAdapter(Seconds).validate_python(text) == seconds
    assert TypeAdapter(Seconds).validate_python(seconds) == seconds


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-31T09:30:00Z", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31T09:30:00.5Z", datetime(2026, 1, 31, 9, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-01-31T09:30:00.123456789Z", datetime(2026, 1, 31, 9, 30, 0, 123_000, tzinfo=UTC)),
        ("2024-02-29T23:59:59Z", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_time(text: str, time: datetime) -> None:
    """RFC 3339 in UTC is read, to the millisecond, which is what is stored and shown."""
    assert parse_time(text) == time
    assert parse_time(time) == time
    assert parse_time(time + timedelta(microseconds=999)) == time


@pytest.mark.parametrize(
    "value",
    [
        *("", "2026-01-31", "2026-01-31T09:30:00", "2026-01-31T09:30Z", "2026-01-31 09:30:00Z"),
        *(
            "2026-01-31T09:30:00+00:00",
            "2026-01-31T09:30:00+02:00",
            "2026-01-31T09:30:00z",
            "2026-W05-6T09:30:00Z",
        ),
        *("2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-31T25:00:00Z", "2026-01-31T09:30:60Z"),
        *(
            "2026-01-31T09:30:00Z\n",
            "2026-01-31T09:30:00.Z",
            "٢٠٢٦-01-31T09:30:00Z",
            1_769_852_000,
            None,
            True,
        ),
    ],
)
def test_no_time(value: Any) -> None:
    """Other forms, other zones, days that are not in the calendar and numbers are refused."""
    with pytest.raises(ValidationError):
        TypeAdapter(Time).validate_python(value)


def test_written() -> None:
    """A time is written in UTC, with milliseconds only where there are any."""
    there = timezone(timedelta(hours=2))
    assert format_time(datetime(2026, 1, 31, 11, 30, tzinfo=there)) == "2026-01-31T09:30:00Z"
    assert format_time(datetime(2026, 1, 31, 9, 30, 0, 999, tzinfo=UTC)) == "2026-01-31T09:30:00Z"
    assert format_time(datetime(2026, 1, 31, 9, 30, 0, 1999, tzinfo=UTC)) == "2026-01-31T09:30:00.001Z"
    assert TypeAdapter(Time).dump_python(from_epoch(0), mode="json") == "1970-01-01T00:00:00Z"
    assert milliseconds(datetime(2026, 1, 1, 0, 0, 0, 1999, tzinfo=UTC)).microsecond == 1000
