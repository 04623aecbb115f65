"""A key's limits, and what a change of them opens or closes."""

from typing import Any

import pytest
from pydantic import ValidationError

from grant_broker.domain.approvers import Approvers
from grant_broker.domain.key_document import Comparison, KeyDocument, compare, lets_ask
from grant_broker.domain.scope import OPERATIONS
from grant_broker.domain.trail import digest
from tests.support.limits import WHOLE

ARN = "arn:aws:kms:eu-central-1:111122223333:key/0d0e0f00-0000-4000-8000-00000000000a"
IDS = ["AROAALICE0000000", "AROABOB000000000", "AROACAROL0000000"]
STRANGE = "AROASTRANGER0000"
TEAM = Approvers.of(IDS, [STRANGE])
ROLE, USER = "arn:aws:iam::444455556666:role/team/loader", "arn:aws:iam::444455556666:user/team/eve"

GLASS = {"principals": [ROLE, USER], "max_duration": "PT15M", "per_day": 2}


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
        ("margin", "-PT5M"), ("margin", 0), ("margin", None),
        ("review_every", "PT12H"),
        ("review_every", 90), ("notify", "none"), ("ticket_hook", "arn"), ("end_unused_after", "P1D"),
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
    ({"requesters": [ROLE]}, {}, ["requesters"]),
    ({"requesters": [ROLE]}, {"requesters": [ROLE, USER]}, ["requesters"]),
    ({}, {"break_glass": GLASS}, ["break_glass"]),
    ({"break_glass": {**GLASS, "per_day": 1}}, {"break_glass": GLASS}, ["break_glass"]),
    ({"break_glass": {**GLASS, "max_duration": "PT5M"}}, {"break_glass": GLASS}, ["break_glass"]),
    ({"break_glass": {**GLASS, "principals": [ROLE]}}, {"break_glass": GLASS}, ["break_glass"]),
    ({"approvers": IDS[:1]}, {}, ["approvers"]), ({"approvers": IDS[:1]}, {"approvers": IDS}, ["approvers"]),
    ({"margin": "PT1M"}, {}, ["margin"]),
    ({"review_every": "P30D"}, {}, ["review_every"]),
    ({"review_every": "P30D"}, {"review_every": "P90D"}, ["review_every"]),
]  # fmt: skip


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
        ("requesters", [ROLE], [USER]), ("approvers", IDS[:2], IDS[1:]),
    ],
)  # fmt: skip
def test_both(field: str, one: Any, other: Any) -> None:
    """What has one thing for another both widens and narrows."""
    found = compare(document(**{field: one}), document(**{field: other}))
    assert (found.widened, found.narrowed) == ((field,), (field,))


def test_a_name_is_no_fence() -> None:
    """Another name, or the same limits in another order, opens and closes nothing."""
    one = document(requesters=["arn:aws:iam::444455556666:role/loader"])
    assert compare(one, document(requesters=[ROLE])) == Comparison()
    other = document(name="other", accounts=WHOLE["accounts"][::-1], operations=WHOLE["operations"][::-1])
    found = compare(document(), other)
    assert (found.widened, found.narrowed) == ((), ())


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, []), ({"operations": ["Decrypt"]}, ["operations"]),
        ({"max_continuous": "PT1H"}, ["max_continuous"]),
        ({"margin": "PT8H"}, ["margin"]), ({"margin": "PT7H59M59S"}, []),
        ({"max_continuous": "PT8H"}, []), ({"quorum": 4}, ["quorum"]), ({"quorum": 3}, []),
        ({"required_context": {"a\u00ad": "b"}}, ["required_context"]),
        ({"required_context": {"a": "\u3164"}}, ["required_context"]),
        ({"operations": ["Decrypt"], "quorum": 10}, ["operations", "quorum"]),
        ({"approvers": IDS[:2], "quorum": 2}, []), ({"approvers": IDS[:1], "quorum": 2}, ["quorum"]),
        ({"approvers": [IDS[0], STRANGE]}, ["approvers"]),
        ({"requesters": ["arn:aws:iam::444455556666:role/a/b"]}, []),
        ({"requesters": ["arn:aws:iam::777788889999:user/a"]}, ["requesters"]),
        ({"break_glass": GLASS}, []), ({"break_glass": {**GLASS, "max_duration": "PT9H"}}, ["break_glass"]),
        ({"break_glass": {**GLASS, "max_duration": "PT1S"}}, ["break_glass"]),
        ({"break_glass": {**GLASS, "principals": ["arn:aws:iam::777788889999:role/a"]}}, ["break_glass"]),
    ],
)  # fmt: skip
def test_faults(changes: dict[str, Any], fields: list[str]) -> None:
    """What the stack does not grant, nobody could reach or nobody sees is named, all at once."""
    grantable = [name for name in OPERATIONS if name != "Decrypt"]
    found = document(**changes).faults(grantable=grantable, team=TEAM, smallest=300)
    assert [fault.field for fault in found] == fields


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("requesters", []), ("requesters", ["arn:aws:iam::444455556666:role/*"]),
        ("requesters", ["arn:aws:sts::444455556666:assumed-role/loader/s"]), ("requesters", ["loader"]),
        ("requesters", ["arn:aws:iam::444455556666:root"]), ("requesters", ["arn:aws-cn:iam::4:role/a"]),
        ("approvers", []), ("approvers", ["AROA"]), ("approvers", ["AIDAALICE0000000"]),
    ],
)  # fmt: skip
def test_no_list_of_people(field: str, value: Any) -> None:
    """Requesters are roles and users by their ARNs, approvers roles by their ids; an empty list is none."""
    with pytest.raises(ValidationError) as refused:
        document(**{field: value})
    assert {error["loc"][0] for error in refused.value.errors()} == {field}


def test_what_get_answers_may_be_sent_back() -> None:
    """What an answer says of its caller is no limit; any other unknown field is refused."""
    assert document(may_decide=True) == document()
    with pytest.raises(ValidationError):
        document(may_ask=True)
    with pytest.raises(ValidationError):
        KeyDocument.model_validate("no document")


@pytest.mark.parametrize(
    ("caller", "may"),
    [
        ("arn:aws:sts::444455556666:assumed-role/loader/nightly", True),
        ("arn:aws:iam::444455556666:user/eve", True), ("arn:aws:iam::444455556666:user/other/path/eve", True),
        ("arn:aws:sts::666677778888:assumed-role/loader/nightly", False),
        ("arn:aws:sts::444455556666:assumed-role/eve/nightly", False),
        ("arn:aws:iam::444455556666:user/loader", False),
    ],
)  # fmt: skip
def test_who_may_ask(*, caller: str, may: bool) -> None:
    """Requesters are compared by account, kind and name: a path is lost in a session's ARN."""
    assert lets_ask(document(requesters=[ROLE, USER]).requesters, caller) is may
    assert lets_ask(None, caller)


@pytest.mark.parametrize(("duration", "margin"), [(3600, 60), (360, 60), (330, 30), (300, 0), (200, 0)])
def test_margin_of(duration: int, margin: int) -> None:
    """A grant is ended its key's margin before its expiry, but what is left is never under the smallest."""
    assert document(margin="PT1M").margin_of(duration, smallest=300) == margin
    assert document().margin_of(duration, smallest=300) == 0
