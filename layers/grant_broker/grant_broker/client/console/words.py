"""What the templates say of the API's values."""

import json
import re
from datetime import UTC, datetime

from grant_broker.client.access_words import (
    accessor,
    actions_in_words,
    last_use_in_words,
    through_in_words,
)
from grant_broker.client.key_naming import path_id_of
from grant_broker.client.printing import distance, pairs
from grant_broker.client.reviewing import (
    event_detail,
    preflight_in_a_word,
    principal,
    votes_in_words,
    windows_in_words,
)

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def duration_in_words(duration: str) -> str:
    """An ISO 8601 duration as the API writes it, such as 2 h 30 min; another text as it is."""
    found = _DURATION.fullmatch(duration)
    parts = zip(found.groups(), ("d", "h", "min", "s"), strict=True) if found else ()
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or duration


def clock(text: str) -> str:
    """A time of the API to the second, without its date where that is today."""
    time = datetime.fromisoformat(text)
    day = "" if time.date() == datetime.now(UTC).date() else f"{time:%Y-%m-%d} "
    return f"{day}{time:%H:%M:%S} UTC"


def name_of(arn: str) -> str:
    """The last part of a principal's ARN: what people call a role, and of a session the person."""
    return arn.rpartition("/")[2]


def limit_in_words(value: object) -> str:
    """A key's limit; what has a form of its own, as JSON."""
    if value in (None, [], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value)
    return duration_in_words(value) if isinstance(value, str) else json.dumps(value)


FILTERS = {
    "accessor": accessor,
    "actions": actions_in_words,
    "clock": clock,
    "distance": lambda text: distance(datetime.fromisoformat(text)),
    "duration": duration_in_words,
    "event_detail": event_detail,
    "name_of": name_of,
    "last_use": last_use_in_words,
    "limit": limit_in_words,
    "pairs": pairs,
    "preflight": preflight_in_a_word,
    "path_id": path_id_of,
    "principal": principal,
    "through": through_in_words,
    "votes": votes_in_words,
    "windows": windows_in_words,
}
