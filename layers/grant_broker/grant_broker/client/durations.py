"""Durations as people write them, in the API's form: texts, timedeltas, and numbers of seconds."""

import math
import re
from datetime import timedelta

from grant_broker.client.errors import InvalidArgumentError

Span = str | timedelta | float
"""A duration: 2h, 1h30m, timedelta(hours=2), or a number of seconds."""

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_SHORT = re.compile(r"(?:\d{1,6}[dhms])+", re.ASCII)
_PART = re.compile(r"(\d+)([dhms])", re.ASCII)


def parse_span(text: str) -> timedelta:
    """The duration of a short form such as 2h or 1h30m; InvalidArgumentError."""
    if not _SHORT.fullmatch(text):
        raise InvalidArgumentError(f"{text!a}: give a duration such as 2h, 90m or 1d12h")
    return timedelta(**{_UNITS[unit]: int(number) for number, unit in _PART.findall(text)})


def read_span(span: Span, name: str = "duration") -> timedelta:
    """A duration in any form, `name` being what the caller knows it by; InvalidArgumentError."""
    if isinstance(span, timedelta):
        return span
    if isinstance(span, str):
        return parse_span(span)
    # Not every caller's types are checked, and to Python True is a number.
    if isinstance(span, bool) or not isinstance(span, int | float) or not math.isfinite(span):
        raise InvalidArgumentError(
            f'{name}: give "2h", timedelta(hours=2) or a number of seconds, not {span!a}'
        )
    return timedelta(seconds=span)


def iso_duration(duration: Span) -> str:
    """ISO 8601 of a duration of a second or more; InvalidArgumentError."""
    if isinstance(duration, str) and not _SHORT.fullmatch(duration):
        # The API reads ISO 8601, and says what is wrong with anything else.
        return duration
    seconds = int(read_span(duration).total_seconds())
    if seconds < 1:
        raise InvalidArgumentError("give a duration of a second or more, such as 2h")
    return f"PT{seconds}S"
