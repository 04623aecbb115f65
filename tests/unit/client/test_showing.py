"""Requests in words."""

from typing import Any

import pytest

from grant_broker.client.showing import usage_in_words

AT = "2030-01-01T12:00:00Z"
SEEN: Any = {"seen": True, "certain": True, "first_seen_at": AT, "last_seen_at": AT, "count_at_least": 3}


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (None, ""),
        ({**SEEN, "seen": False}, "never seen used (delivery is best effort: it may have been)"),
        (SEEN, "last seen 2030-01-01T12:00:00Z"),
        ({**SEEN, "certain": False}, "could be: somebody's call that it allows, last seen 2030-01-01"),
    ],
)
def test_usage_in_words(usage: Any, words: str) -> None:
    """What was seen is told with its doubt, and what was not is never called unused."""
    found = usage_in_words(usage)
    assert found.startswith(words)
    assert bool(found) is bool(usage)
