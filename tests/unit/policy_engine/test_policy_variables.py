"""Policy variables in condition values (IAM, "Variables and tags")."""

from typing import Any

import pytest

from grant_broker.policy_engine.conditions import condition, normalise
from tests.unit.policy_engine.conditions import NOT_KNOWN, STRINGS, holds


@pytest.mark.parametrize(
    ("operator", "wanted", "actual", "outcome"),
    [
        ("StringEquals", "${aws:username}", "bob", True),
        ("StringEquals", "${AWS:UserName}", "bob", True),
        ("StringEquals", "x-${aws:username}-y", "x-bob-y", True),
        ("StringEquals", "${aws:username}", "eve", False),
        ("StringLike", "${aws:username}*", "bob-2", True),
        ("StringLike", "${aws:PrincipalTag/team}", "anything", False),
        ("StringLike", "${aws:PrincipalTag/team}", "*", True),
        ("StringEqualsIgnoreCase", "${aws:username}", "BOB", True),
        ("StringEquals", "${aws:userid}", "bob", False),
        ("StringEquals", ["${aws:userid}", "bob"], "bob", True),
        ("StringNotEquals", "${aws:userid}", "bob", NOT_KNOWN),
        ("StringNotEquals", ["${aws:userid}", "bob"], "bob", False),
        ("StringEquals", "${aws:userid, 'bob'}", "bob", True),
        ("StringEquals", "${aws:userid,'bob'}", "bob", True),
        ("StringEquals", "${aws:username, 'eve'}", "bob", True),
        ("StringEquals", "${aws:userid, ''}", "", True),
        ("StringEquals", "${aws:TagKeys}", "a", False),
        ("StringEquals", "${aws:username", "${aws:username", True),
        ("StringEquals", "${}", "", False),
        ("Bool", "${aws:SecureTransport}", "true", True),
        ("ArnLike", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::1:user/bob", True),
        ("ArnLike", "arn:aws:iam::${aws:userid}:user/bob", "arn:aws:iam::1:user/bob", False),
        ("ArnNotLike", "arn:aws:iam::${aws:userid}:user/bob", "arn:aws:iam::1:user/bob", NOT_KNOWN),
        ("ArnLike", "arn:aws:iam:${aws:PrincipalTag/pair}:role/x", "arn:aws:iam::1:role/x", NOT_KNOWN),
        ("ArnLike", "arn:aws:logs:${aws:PrincipalTag/pair}:1:x", "arn:aws:logs:a:b:1:x", False),
    ],
)
def test_policy_variables(operator: str, wanted: object, actual: str, *, outcome: bool | None) -> None:
    """A variable is replaced by the call's literal value, else by its default, else matches nothing."""
    context: dict[str, Any] = {
        "aws:username": "bob",
        "aws:PrincipalTag/team": "*",
        "aws:PrincipalTag/pair": "a:b",
        "aws:SecureTransport": "true",
        "aws:TagKeys": ["a"],
    }
    assert holds(operator, wanted, actual, **context) is outcome


def test_older_policies_have_no_variables() -> None:
    """In a policy of Version 2008-10-17 a variable is plain text, its asterisk a wildcard."""
    plain = condition("StringEquals", STRINGS, ["${aws:username}"], variables=False)
    assert plain.holds(normalise({STRINGS: "${aws:username}", "aws:username": "bob"})) is True
    like = condition("StringLike", STRINGS, ["${*}"], variables=False)
    assert like.holds(normalise({STRINGS: "${anything}"})) is True
