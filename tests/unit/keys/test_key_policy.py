"""What an operator is told about a key's policy: what it lacks, and only what KMS takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from grant_broker.domain.key_policy import LARGEST, Roles, statements
from grant_broker.keys.key_policy import KeyPolicyAdvice, advise
from tests.support.case_files import case_files

HOME = "111122223333"
KEY = f"arn:aws:kms:eu-central-1:{HOME}:key/0d0e"
ROLES = Roles(
    *(f"arn:aws:iam::{HOME}:role/broker-{name}" for name in ("requests", "approvals", "expiry", "reconcile"))
)
OPERATIONS = ("Encrypt", "DescribeKey")
NEEDED = statements(ROLES, OPERATIONS, KEY)
GONE = "AROAEXAMPLEID12345678"
ROOT = {
    "Sid": "Root",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"},
    "Action": "kms:*",
    "Resource": "*",
}


def policy(*parts: dict[str, Any]) -> dict[str, Any]:
    """A key policy."""
    return {"Version": "2012-10-17", "Id": "mine", "Statement": list(parts)}


def told(*parts: dict[str, Any]) -> KeyPolicyAdvice:
    """The advice about a key policy of these statements."""
    return advise(ROLES, OPERATIONS, KEY, json.dumps(policy(*parts)))


def test_without_the_present_policy() -> None:
    """Only the statements can be told, and whether anything is missing is not known."""
    advice = advise(ROLES, OPERATIONS, KEY, None)
    assert (advice.statements, advice.policy, advice.diff, advice.complete) == (NEEDED, None, None, None)


def test_what_is_missing() -> None:
    """The statements are added to the present policy, as a diff too; with them nothing is missing."""
    advice = told(ROOT)
    assert advice.policy == policy(ROOT, *NEEDED)
    assert advice.complete is False
    assert "kms:CreateGrant" in str(advice.diff)
    whole = told(ROOT, *NEEDED)
    assert (whole.diff, whole.denied, whole.notes, whole.complete) == ("", (), (), True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[]", "object with a Statement"),
        ("{", "Expecting"),
        ("{}", "object with a Statement"),
        ('{"Statement": [], "Statment": []}', "no element Statment"),
        ('{"Statement": [], "Version": "2013"}', "Version"),
        ('{"Statement": [], "Statement": []}', "twice"),
        (json.dumps(policy({**ROOT, "Effect": "Permit"})), "Effect"),
        (json.dumps(policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})), "needs Principal"),
        (
            json.dumps(policy({**ROOT, "Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}})),
            "no principal",
        ),
        (json.dumps(policy({**ROOT, "Principal": {"AWS": "somebody"}})), "takes for no principal"),
        (
            json.dumps(policy({**ROOT, "Principal": {"AWS": "arn:aws-cn:iam::111122223333:root"}})),
            "no principal",
        ),
        (
            json.dumps(
                policy({"Effect": "Deny", "NotPrincipal": {"AWS": GONE}, "Action": "*", "Resource": "*"})
            ),
            "excepts deleted principals alone",
        ),
    ],
)
def test_what_is_no_policy(text: str, fault: str) -> None:
    """What KMS would not have stored, or could be meant in two ways, is a ValueError that says why."""
    with pytest.raises(ValueError, match=fault):
        advise(ROLES, OPERATIONS, KEY, text)


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": HOME}, {"Service": "logs.amazonaws.com"}])
def test_principals_that_kms_takes(principal: Any) -> None:
    """Everyone, accounts and services stay as they are."""
    other = {**ROOT, "Sid": "Other", "Principal": principal}
    assert told(ROOT, other).policy == policy(ROOT, other, *NEEDED)


@pytest.mark.parametrize("file", case_files("deleted-principal.json"), ids=str)
def test_a_deleted_principal_from_outside(file: Path) -> None:
    """A statement for a deleted principal alone is left out, and told."""
    advice = advise(ROLES, OPERATIONS, KEY, file.read_text("utf-8"))
    assert GONE not in json.dumps(advice.policy)
    assert advice.notes == (f"statement 'gone' names a principal that was deleted: {GONE} is left out",)


def test_deleted_principals() -> None:
    """Of a list only the deleted go, of Principal and of NotPrincipal; for the broker nothing is missing."""
    both = {**ROOT, "Sid": "Both", "Principal": {"AWS": [GONE, HOME], "Service": "logs.amazonaws.com"}}
    service = {**both, "Sid": None, "Principal": {"AWS": GONE, "Service": "logs.amazonaws.com"}}
    but = {
        "Sid": "But",
        "Effect": "Deny",
        "NotPrincipal": {"AWS": [HOME, f"{GONE}:x"]},
        "Action": "kms:Sign",
        "Resource": "*",
    }
    del service["Sid"]
    advice = told(ROOT, both, service, but, *NEEDED)
    assert advice.policy is not None
    assert [each.get("Principal", each.get("NotPrincipal")) for each in advice.policy["Statement"][1:4]] == [
        {"AWS": [HOME], "Service": ["logs.amazonaws.com"]},
        {"Service": ["logs.amazonaws.com"]},
        {"AWS": [HOME]},
    ]
    assert [note.partition(" names")[0] for note in advice.notes] == [
        "statement 'Both'",
        "statement '3'",
        "statement 'But'",
    ]
    assert (advice.diff, advice.complete) == ("", True)


def test_a_policy_that_would_be_too_large() -> None:
    """What KMS would not take is not proposed: the size is told instead."""
    padded = {**ROOT, "Sid": "x" * (LARGEST - 1000)}
    advice = told(padded)
    assert advice.policy is None
    (note,) = advice.notes
    assert note.endswith(f"and KMS takes {LARGEST}: shorten it first")
    assert advice.complete is False


def test_a_policy_that_nobody_may_put_again() -> None:
    """KMS minds a policy by which nobody may change it."""
    assert "BypassPolicyLockoutSafetyCheck" in told().notes[0]
    denied = {**ROOT, "Effect": "Deny", "Action": "kms:PutKeyPolicy"}
    assert len(told(denied).notes) == 1


@pytest.mark.parametrize(
    ("changes", "denied"),
    [
        ({"Principal": "*", "Action": "kms:Create*"}, 1),
        ({"Principal": {"AWS": ROLES.expiry}}, 3),
        ({"Principal": {"AWS": ROLES.expiry}, "Resource": f"{KEY}-other"}, 0),
        ({"Principal": {"AWS": f"arn:aws:iam::{HOME}:role/other"}}, 0),
        ({"Principal": "*", "Action": "kms:Encrypt"}, 0),
        ({"Principal": "*", "Condition": {"StringEquals": {"kms:CallerAccount": "444455556666"}}}, 0),
        (
            {
                "Principal": "*",
                "Action": "kms:RevokeGrant",
                "Condition": {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/other"}},
            },
            1,
        ),
        (
            {
                "Principal": "*",
                "Condition": {
                    "StringNotLike": {"kms:GranteePrincipal": "arn:aws:iam::444455556666:role/app/*"}
                },
            },
            0,
        ),
    ],
)
def test_a_deny_that_takes_from_the_broker(changes: dict[str, Any], denied: int) -> None:
    """A Deny that holds whatever the broker asks for is told; one that depends on the call is not."""
    deny = {**ROOT, "Sid": "No", "Effect": "Deny", **changes}
    advice = told(ROOT, *NEEDED, deny)
    assert len(advice.denied) == denied
    assert all(words.startswith("statement 'No' denies kms:") for words in advice.denied)
    assert (advice.diff, advice.complete) == ("", not denied)
