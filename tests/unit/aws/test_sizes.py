"""How large what a third party sends makes the items, and what of them the agenda's index holds."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from grant_broker.aws.items import item_of
from grant_broker.domain.scope import CHARACTERS, PAIRS
from grant_broker.domain.submission import Submission
from tests.infrastructure.stack import template
from tests.support.records import KEY, request

LARGEST_ITEM, LARGEST_ENTRY = 32_000, 500  # bytes
WIDE = "\N{GRINNING FACE}"  # four bytes in UTF-8
LONGEST: dict[str, Any] = {
    "encryption_context": {f"{n}{WIDE * (CHARACTERS - 1)}": WIDE * CHARACTERS for n in range(PAIRS)},
    "reason": WIDE * 1000,
    "ticket": "T" * 100,
}


def submission(**changes: Any) -> Submission:
    """The largest submission, but for the changes."""
    grantee = "arn:aws:iam::444455556666:role/" + "r" * 64
    base = {"key": KEY, "grantee": grantee, "operations": ["Encrypt"], "duration": "PT1H", **LONGEST}
    return Submission.model_validate(base | changes)


def stored(given: Submission) -> dict[str, Any]:
    """The item of a request that was submitted so."""
    return item_of(
        request(scope=given.scope, reason=given.reason, ticket=given.ticket, grantee=given.grantee)
    )


def size(item: dict[str, Any]) -> int:
    """Its bytes, and those of the JSON around them."""
    return len(json.dumps(item, ensure_ascii=False).encode())


def test_the_largest_submission_bounds_a_record() -> None:
    """However many bytes a character has: far below what DynamoDB takes; one character more is refused."""
    assert size(stored(submission())) < LARGEST_ITEM
    key, value = next(iter(LONGEST["encryption_context"].items()))
    for more in (
        {"encryption_context": {key: value + "x"}},
        {"encryption_context": {key + "x": value}},
        {"encryption_context": {**LONGEST["encryption_context"], "one": "more"}},
        {"reason": LONGEST["reason"] + "x"},
        {"ticket": LONGEST["ticket"] + "x"},
    ):
        with pytest.raises(ValidationError):
            submission(**more)


def test_the_agenda_holds_little_of_it() -> None:
    """What the index projects has a size that no submission changes."""
    indexes = template().properties("RequestTable")["GlobalSecondaryIndexes"]
    [index] = [each for each in indexes if each["IndexName"] == "agenda"]
    projected = {"pk", "sk", "agenda", "due", *index["Projection"]["NonKeyAttributes"]}
    held = {name: value for name, value in stored(submission()).items() if name in projected}
    assert size(held) < LARGEST_ENTRY
