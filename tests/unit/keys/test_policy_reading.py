"""What a key's policy says of a call, what is not known of it left open."""

import json
from typing import Any

import pytest

from grant_broker.domain.checks import Result
from grant_broker.keys.policy_reading import read
from grant_broker.policy_engine import Call

ROLE = "arn:aws:iam::111122223333:role/grant-broker-requests"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
RETIRING = "arn:aws:iam::111122223333:role/grant-broker-expiry"
CALL = Call(ROLE, "kms:CreateGrant", KEY, {"aws:PrincipalArn": ROLE, "kms:RetiringPrincipal": RETIRING})
ASSUMED = {"kms:GranteePrincipal": "arn:aws:iam::444455556666:role/app"}
PASSED, FAILED, DEPENDS = Result.PASSED, Result.FAILED, None


def statement(conditions: dict[str, Any] | None = None, effect: str = "Allow") -> dict[str, Any]:
    """A statement about CreateGrant by the role."""
    made = {"Effect": effect, "Principal": {"AWS": ROLE}, "Action": "kms:CreateGrant", "Resource": "*"}
    return {**made, "Condition": conditions} if conditions else made


FITS = {"StringEquals": {"kms:GranteePrincipal": "arn:aws:iam::444455556666:role/app"}}
OTHER = {"StringEquals": {"kms:GranteePrincipal": "arn:aws:iam::444455556666:role/other"}}
ORGANISATION = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
ANOTHER_STACK = {"StringEquals": {"kms:RetiringPrincipal": "arn:aws:iam::111122223333:role/other"}}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], FAILED),
        ([statement()], PASSED),
        ([statement(FITS)], PASSED),
        ([statement(OTHER)], DEPENDS),
        ([statement(ORGANISATION)], DEPENDS),
        ([statement(ANOTHER_STACK)], FAILED),
        ([statement({"StringEquals": {**ANOTHER_STACK["StringEquals"], **OTHER["StringEquals"]}})], FAILED),
        ([statement({"Bool": {"kms:GrantIsForAWSResource": "true"}})], FAILED),
        ([statement({"StringLike": {"KMS:ViaService": "ec2.*"}})], FAILED),
        ([statement(), statement(effect="Deny")], FAILED),
        ([statement(), statement(OTHER, "Deny")], PASSED),
        ([statement(), statement(FITS, "Deny")], DEPENDS),
        ([statement(), statement({"StringNotEquals": ANOTHER_STACK["StringEquals"]}, "Deny")], FAILED),
        ([statement(), statement({"StringNotEquals": ORGANISATION["StringEquals"]}, "Deny")], DEPENDS),
    ],
)
def test_read(statements: list[dict[str, Any]], expected: Result | None) -> None:
    """It passes as assumed, fails whatever the rest, or depends on what nobody knows yet."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements or [statement(effect="Deny")]})
    found = read(policy, CALL, ASSUMED)
    assert found.result == expected
    assert found.reason


def test_a_single_statement() -> None:
    """A policy's one statement need not stand in a list."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement(OTHER)})
    assert read(policy, CALL, ASSUMED).result is DEPENDS


def test_no_policy() -> None:
    """What is no policy cannot be read."""
    with pytest.raises(ValueError, match=r"."):
        read("[]", CALL, ASSUMED)
