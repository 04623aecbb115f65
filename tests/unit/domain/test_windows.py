"""Windows: which times they hold, whatever the clocks of their zone do."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from grant_broker.domain.windows import AskedWindows, Window, days_in_words, within_one

EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ASKED: TypeAdapter[tuple[Window, ...]] = TypeAdapter(AskedWindows)


def window(hours: str, days: list[str] | None = None, zone: str = "Europe/Berlin") -> Window:
    """A window of these hours, by default on every day."""
    since, _, until = hours.partition("-")
    return Window.model_validate({"days": days or EVERY_DAY, "from": since, "to": until, "time_zone": zone})


def utc(text: str) -> datetime:
    """A UTC time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "days", "since", "until", "holds"),
    [
        # Berlin is an hour ahead in winter, two in summer.
        ("09:00-17:00", None, "2026-01-05T08:00", "2026-01-05T16:00", True),
        ("09:00-17:00", None, "2026-07-06T07:00", "2026-07-06T15:00", True),
        ("09:00-17:00", None, "2026-01-05T07:59:59.999", "2026-01-05T08:30", False),
        ("09:00-17:00", None, "2026-01-05T08:00", "2026-01-05T16:00:01", False),
        ("09:00-17:00", ["mon"], "2026-01-05T08:00", "2026-01-05T09:00", True),
        ("09:00-17:00", ["tue"], "2026-01-05T08:00", "2026-01-05T09:00", False),
        # Across midnight: of the day on which it begins.
        ("22:00-06:00", ["fri"], "2026-01-09T21:00", "2026-01-10T05:00", True),
        ("22:00-06:00", ["fri"], "2026-01-09T01:00", "2026-01-09T02:00", False),
        ("22:00-06:00", ["sat"], "2026-01-10T04:00", "2026-01-10T05:00", False),
        # From one night into the next, and from one window into another: not within one.
        ("22:00-06:00", None, "2026-01-09T21:00", "2026-01-10T22:00", False),
        # Whole days that follow one another are one run.
        ("00:00-00:00", ["sat", "sun"], "2026-01-09T23:00", "2026-01-11T23:00", True),
        ("00:00-00:00", ["sat", "mon"], "2026-01-09T23:00", "2026-01-11T12:00", False),
        ("12:00-12:00", None, "2026-01-01T00:00", "2026-12-31T00:00", True),
        # Clocks are put forward from 02:00 to 03:00 at 01:00 UTC: hours that are not shown are no window.
        ("02:00-03:00", None, "2026-03-29T00:30", "2026-03-29T00:31", False),
        ("02:00-03:00", None, "2026-03-29T01:00", "2026-03-29T01:01", False),
        ("02:30-04:00", None, "2026-03-29T01:00", "2026-03-29T02:00", True),
        ("01:00-04:00", None, "2026-03-29T00:00", "2026-03-29T02:00", True),
        ("01:00-04:00", None, "2026-03-29T00:00", "2026-03-29T02:01", False),
        # Clocks are put back from 03:00 to 02:00 at 01:00 UTC: that hour is there twice.
        ("02:00-03:00", None, "2026-10-25T00:00", "2026-10-25T02:00", True),
        ("02:30-03:00", None, "2026-10-25T00:30", "2026-10-25T01:00", True),
        ("02:30-03:00", None, "2026-10-25T01:30", "2026-10-25T02:00", True),
        ("02:30-03:00", None, "2026-10-25T00:30", "2026-10-25T02:00", False),
        ("01:00-02:30", None, "2026-10-24T23:00", "2026-10-25T00:30", True),
        ("01:00-02:30", None, "2026-10-25T00:00", "2026-10-25T01:10", False),
        ("22:00-06:00", ["sat"], "2026-10-24T20:00", "2026-10-25T05:00", True),
    ],
)  # fmt: skip
def test_holds(hours: str, days: list[str] | None, since: str, until: str, *, holds: bool) -> None:
    """Every instant from the first to the last is one at which the clocks show its hours."""
    assert window(hours, days).holds(utc(since), utc(until)) is holds


def test_within_one() -> None:
    """A time that two windows hold together is within neither."""
    both = [window("09:00-12:00"), window("12:00-17:00")]
    assert within_one(both, utc("2026-01-05T11:00"), utc("2026-01-05T16:00"))
    assert not within_one(both, utc("2026-01-05T10:00"), utc("2026-01-05T12:00"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"days": []}, "at least 1 item"),
        ({"days": ["monday"]}, "'mon', 'tue'"),
        ({"from": "9:00"}, "give a local time from 00:00 to 23:59"),
        ({"to": "24:00"}, "give a local time from 00:00 to 23:59"),
        ({"to": 1320}, "valid string"),
        ({"time_zone": "Europe"}, "Europe: give a time zone of the IANA database"),
        ({"time_zone": "../Europe/Berlin"}, "give a time zone of the IANA database"),
        ({"time_zone": "localtime"}, "give a time zone of the IANA database"),
        ({"time_zone": "CEST"}, "give a time zone of the IANA database"),
        ({"begins": "09:00"}, "not permitted"),
        ({"until": "2030-01-01"}, "not permitted"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], words: str) -> None:
    """It is said what would be right."""
    good = {"days": ["mon"], "from": "09:00", "to": "17:00", "time_zone": "Europe/Berlin"}
    assert ASKED.validate_python([good])
    with pytest.raises(ValidationError, match=words):
        ASKED.validate_python([good | changes])


@pytest.mark.parametrize("number", [0, 21])
def test_how_many(number: int) -> None:
    """None is no windows at all, which null says; more than twenty nobody reads."""
    with pytest.raises(ValidationError, match="after validation"):
        ASKED.validate_python([window("09:00-17:00").model_dump(mode="json")] * number)


def test_as_sent() -> None:
    """Days come in their order and once each; the rest as it was, under the names of the API."""
    sent = {"days": ["fri", "mon", "fri"], "from": "22:00", "to": "06:00", "time_zone": "UTC"}
    found = Window.model_validate(sent)
    assert found.model_dump(mode="json") == {**sent, "days": ["mon", "fri"]}
    assert found.in_words == "mon,fri 22:00-06:00 UTC"


def test_a_zone_that_is_no_more() -> None:
    """What was stored is read by whatever database there is; a zone that it does not know holds nothing."""
    gone = window("00:00-00:00", zone="Europe/Atlantis")
    assert not gone.is_known
    assert not gone.holds(utc("2026-01-05T08:00"), utc("2026-01-05T09:00"))


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (["mon"], "mon"),
        (["tue", "mon"], "mon-tue"),
        (["mon", "tue", "wed", "fri", "sun"], "mon-wed,fri,sun"),
        (EVERY_DAY, "mon-sun"),
    ],
)
def test_days_in_words(days: list[str], words: str) -> None:
    """Days that follow one another are a span."""
    assert days_in_words(days) == words
