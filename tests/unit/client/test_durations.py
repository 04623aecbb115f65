"""Durations as people write them."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.client import InvalidArgumentError
from grant_broker.client.durations import Span, iso_duration, read_span
from grant_broker.domain.times import parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2h", 7200),
        ("1h30m", 5400),
        ("90s", 90),
        ("1d", 86_400),
        (timedelta(hours=2), 7200),
        ("PT2H", 7200),
        (7200, 7200),
        (90.0, 90),
    ],
)
def test_read_as_meant(written: Span, seconds: int) -> None:
    """Short forms, timedeltas, numbers of seconds and ISO 8601 mean the same to the API."""
    assert parse_duration(iso_duration(written)) == seconds


def test_what_is_none() -> None:
    """Less than a second is refused here; what is no duration goes to the API, which says what would be."""
    for nothing in ("0h", 0, 0.5, timedelta(seconds=-1)):
        with pytest.raises(InvalidArgumentError, match="a second or more"):
            iso_duration(nothing)
    assert iso_duration("soon") == "soon"


def test_how_long_to_wait() -> None:
    """A timeout is read alike, and may be nothing at all."""
    assert [read_span(each) for each in ("90m", timedelta(minutes=90), 5400)] == [timedelta(minutes=90)] * 3
    assert read_span(0) == timedelta(0)
    wrong: tuple[Any, ...] = (True, None, float("nan"), float("inf"), b"2h", ["2h"])
    for each in wrong:
        with pytest.raises(InvalidArgumentError, match='timeout: give "2h", timedelta'):
            read_span(each, "timeout")
    with pytest.raises(InvalidArgumentError, match="'soon': give a duration such as 2h"):
        read_span("soon")
