"""Durations as people write them."""

from datetime import timedelta

import pytest

from grant_broker.client.durations import iso_duration
from grant_broker.domain.times import parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("2h", 7200), ("1h30m", 5400), ("90s", 90), ("1d", 86_400), (timedelta(hours=2), 7200), ("PT2H", 7200)],
)
def test_read_as_meant(written: str | timedelta, seconds: int) -> None:
    """Short forms, timedeltas and ISO 8601 mean the same to the API."""
    assert parse_duration(iso_duration(written)) == seconds


def test_what_is_none() -> None:
    """Less than a second is refused here; what is no duration goes to the API, which says what would be."""
    with pytest.raises(ValueError, match="a second or more"):
        iso_duration("0h")
    assert iso_duration("soon") == "soon"
