"""What a party is told about its request: what to do now, and why it has no grant."""

from typing import Any

import pytest

from grant_broker.client import NotGrantedError
from grant_broker.client.showing import next_step
from tests.support.shown_requests import shown

ID = f"{1:032x}"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (shown("pending"), f"grant-broker wait {ID}"),
        (shown("approved"), f"grant-broker take-up {ID}"),
        (
            shown("approved", starts_at="2026-03-02T12:00:00Z"),
            f"grant-broker take-up {ID} from 2026-03-02T12:00:00Z on",
        ),
        (shown("released"), ""),
    ],
)
def test_what_to_do_now(request_: Any, words: str) -> None:
    """Each status has its command, and one that starts later says when."""
    assert next_step(request_) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"end_reason": None}, f"request {ID} is denied"),
        ({"end_reason": "incident 7"}, f"request {ID} is denied: incident 7"),
        ({"decisions": ["wrong bucket"]}, f"request {ID} is denied: wrong bucket"),
        ({"end_reason": "denied", "decisions": ["a", "b"]}, f"request {ID} is denied: a; b"),
    ],
)
def test_why_there_is_no_grant(changes: dict[str, Any], words: str) -> None:
    """The words of those who denied, else the reason, without the status once more."""
    votes = [{"verdict": "deny", "comment": comment} for comment in changes.get("decisions", [])]
    assert str(NotGrantedError(shown("denied", **(changes | {"decisions": votes})))) == words
