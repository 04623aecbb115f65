"""Durations as people write them, in the API's form."""

import re
from datetime import timedelta

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_SHORT = re.compile(r"(?:\d{1,6}[dhms])+", re.ASCII)
_PART = re.compile(r"(\d+)([dhms])", re.ASCII)


def parse_span(text: str) -> timedelta:
    """The duration of a short form such as 2h or 1h30m; ValueError."""
    if not _SHORT.fullmatch(text):
        raise ValueError(f"{text!a}: give a duration such as 2h, 90m or 1d12h")
    return timedelta(**{_UNITS[unit]: int(number) for number, unit in _PART.findall(text)})


def iso_duration(duration: str | timedelta) -> str:
    """ISO 8601 of a duration: 2h, 1h30m, PT2H, timedelta(hours=2). ValueError for less than a second."""
    if isinstance(duration, str):
        if not _SHORT.fullmatch(duration):
            # The API reads ISO 8601, and says what is wrong with anything else.
            return duration
        duration = parse_span(duration)
    seconds = int(duration.total_seconds())
    if seconds < 1:
        raise ValueError("give a duration of a second or more, such as 2h")
    return f"PT{seconds}S"
