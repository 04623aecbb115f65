"""Durations as people write them, in the API's form."""

import re
from datetime import timedelta

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_SHORT = re.compile(r"(?:\d{1,6}[dhms])+", re.ASCII)
_PART = re.compile(r"(\d+)([dhms])", re.ASCII)


def iso_duration(duration: str | timedelta) -> str:
    """ISO 8601 of a duration: 2h, 1h30m, PT2H, timedelta(hours=2). ValueError for less than a second."""
    if isinstance(duration, str):
        if not _SHORT.fullmatch(duration):
            # The API reads ISO 8601, and says what is wrong with anything else.
            return duration
        parts = {_UNITS[unit]: int(number) for number, unit in reversed(_PART.findall(duration))}
        duration = timedelta(**parts)
    seconds = int(duration.total_seconds())
    if seconds < 1:
        raise ValueError("give a duration of a second or more, such as 2h")
    return f"PT{seconds}S"
