"""A key's limits, and what a change of them opens or closes."""

from typing import Any

import pytest
from pydantic import ValidationError

from grant_broker.domain.key_document import KeyDocument, compare
from grant_broker.domain.scope import OPERATIONS
from grant_broker.domain.trail import digest
from tests.support.limits import WHOLE

ARN = "arn:aws:kms:eu-central-1:111122223333:key/0d0e0f00-0000-4000-8000-00000000000a"


def document(**changes: Any) -> KeyDocument:
    """The founding key's limits, but for the changes."""
    return KeyDocument.model_validate({"key_arn": ARN, **WHOLE, **changes})


def test_defaults() -> None:
    """A new key takes the narrower match, and is held no longer than one grant lasts."""
    new = KeyDocument.model_validate({"key_arn": ARN, "name": "n", "accounts": ["444455556666"]})
    assert (new.context_match, new.max_continuous, new.longest_held) == ("equals", None, 8 * 3600)
    assert document(max_continuous="PT9H").longest_held == 9 * 3600


@pytest.mark.parametrize(
    "arn",
    [
        ARN.upper().replace("ARN:AWS:KMS:EU-CENTRAL-1", "arn:aws:kms:eu-central-1").replace("KEY/", "key/"),
        ARN,
    ],
)
def test_one_spelling(arn: str) -> None:
    """A key id in capitals is the same key: KMS's ids are in lower case."""
    assert document(key_arn=arn).key_arn == ARN


@pytest.mark.parametrize(
    "arn", [ARN.replace("aws", "aws-cn"), ARN.replace(":key/", ":alias/"), "*", f"{ARN} "]
)
def test_no_key(arn: str) -> None:
    """Another partition's key, an alias or a pattern is refused."""
    with pytest.raises(ValidationError):
        document(key_arn=arn)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("requesters", []), ("approvers", ["AROA"]), ("margin", "PT5M"), ("margin", None),
        ("break_glass", {}),
        ("review_every", "P90D"), ("notify", "none"), ("ticket_hook", "arn"), ("end_unused_after", "P1D"),
    ],
)  # fmt: skip
def test_not_built_yet(field: str, value: Any) -> None:
    """Until what it is for is built a field takes its default only: no fence is promised that is none."""
    with pytest.raises(ValidationError) as refused:
        document(**{field: value})
    assert [error["loc"][0] for error in refused.value.errors()] == [field]


def test_digest() -> None:
    """Fields that came later leave the digest of a document, and so the votes for it, as they were."""
    earlier = {name: value for name, value in WHOLE.items() if name not in {
        "requesters", "approvers", "margin", "break_glass", "review_every", "notify", "ticket_hook",
        "end_unused_after",
    }}  # fmt: skip
    assert document().digest == digest({"key_arn": ARN, **earlier})
    assert document(max_duration="PT1H").digest != document().digest


WIDER: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"operations": ["Encrypt"]}, {"operations": ["Encrypt", "DescribeKey"]}, ["operations"]),
    ({"max_duration": "PT1H", "max_continuous": "PT8H"}, {"max_continuous": "PT8H"}, ["max_duration"]),
    ({}, {"max_continuous": "PT9H"}, ["max_continuous"]),
    ({"max_duration": "PT1H"}, {}, ["max_duration", "max_continuous"]),
    ({"required_context": {"a": "b"}}, {}, ["required_context"]),
    ({"context_match": "equals"}, {}, ["context_match"]),
    ({"accounts": ["444455556666"]}, {}, ["accounts"]),
    ({"quorum": 2}, {}, ["quorum"]),
]


@pytest.mark.parametrize(("narrow", "wide", "fields"), WIDER)
def test_compare(narrow: dict[str, Any], wide: dict[str, Any], fields: list[str]) -> None:
    """What one direction widens, the other narrows; what stays is neither."""
    opened = compare(document(**narrow), document(**wide))
    closed = compare(document(**wide), document(**narrow))
    assert (list(opened.widened), opened.narrowed) == (fields, ())
    assert (closed.widened, list(closed.narrowed)) == ((), fields)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("operations", ["Encrypt"], ["DescribeKey"]), ("accounts", ["444455556666"], ["666677778888"]),
        ("required_context", {"a": "b"}, {"a": "c"}), ("required_context", {"a": "b"}, {"c": "d"}),
    ],
)  # fmt: skip
def test_both(field: str, one: Any, other: Any) -> None:
    """What has one thing for another both widens and narrows."""
    found = compare(document(**{field: one}), document(**{field: other}))
    assert (found.widened, found.narrowed) == ((field,), (field,))


def test_a_name_is_no_fence() -> None:
    """Another name, or the same limits in another order, opens and closes nothing."""
    other = document(name="other", accounts=WHOLE["accounts"][::-1], operations=WHOLE["operations"][::-1])
    found = compare(document(), other)
    assert (found.widened, found.narrowed) == ((), ())


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, []), ({"operations": ["Decrypt"]}, ["operations"]),
        ({"max_continuous": "PT1H"}, ["max_continuous"]),
        ({"max_continuous": "PT8H"}, []), ({"quorum": 4}, ["quorum"]), ({"quorum": 3}, []),
        ({"required_context": {"a\u00ad": "b"}}, ["required_context"]),
        ({"required_context": {"a": "\u3164"}}, ["required_context"]),
        ({"operations": ["Decrypt"], "quorum": 10}, ["operations", "quorum"]),
    ],
)  # fmt: skip
def test_faults(changes: dict[str, Any], fields: list[str]) -> None:
    """What the stack does not grant, nobody could reach or nobody sees is named, all at once."""
    grantable = [name for name in OPERATIONS if name != "Decrypt"]
    found = document(**changes).faults(grantable=grantable, most_votes=3)
    assert [fault.field for fault in found] == fields
