"""What the security team is told in a word."""

from typing import Any

import pytest

from grant_broker.client.reviewing import preflight_in_a_word


def found(**changes: str) -> Any:
    """A preflight where all is well, but for these answers."""
    answers = {
        "grantee_accepted": "yes",
        "key_usable": "yes",
        "can_create": "yes",
        "can_end": "yes",
        "has_access": "no",
        **changes,
    }
    return {name: {"answer": answer, "reason": ""} for name, answer in answers.items()}


@pytest.mark.parametrize(
    ("preflight", "word"),
    [
        (None, "not known"),
        (found(), "fine"),
        (found(can_create="unknown"), "unknown: can create"),
        (found(has_access="yes"), "has access already"),
        (found(has_access="yes", can_create="no"), "cannot create"),
        (found(grantee_accepted="no", key_usable="no"), "no such grantee"),
    ],
)
def test_preflight_in_a_word(preflight: Any, word: str) -> None:
    """The worst that was found out; fine only where all is known and well."""
    assert preflight_in_a_word(preflight) == word
