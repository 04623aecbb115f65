"""What a key's policy must say, merged into what it says."""

import copy
import json
from typing import Any

import pytest

from grant_broker.domain.key_policy import Roles, difference, merged, role_policies, statements, text_of
from grant_broker.policy_engine import Call, decide_kms

HOME, OTHER = "111122223333", "444455556666"
KEY = f"arn:aws:kms:eu-central-1:{HOME}:key/0d0e"
THEIRS = f"arn:aws:kms:eu-central-1:{OTHER}:key/0d0e"
ROLES = Roles(
    *(f"arn:aws:iam::{HOME}:role/broker-{name}" for name in ("requests", "approvals", "expiry", "reconcile"))
)
OPERATIONS = ("Encrypt", "DescribeKey")
NEEDED = statements(ROLES, OPERATIONS, KEY)
ROOT = {
    "Sid": "Root", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"}, "Action": "kms:*",
    "Resource": "*",
}  # fmt: skip


def policy(*parts: dict[str, Any]) -> dict[str, Any]:
    """A key policy."""
    return {"Version": "2012-10-17", "Id": "mine", "Statement": list(parts)}


def may(role: str, action: str, key: str, document: dict[str, Any], *identity: dict[str, Any]) -> bool:
    """Whether a role may call, a CreateGrant being one that the broker would make."""
    context = {
        "aws:PrincipalArn": role, "kms:GrantConstraintType": "EncryptionContextEquals",
        "kms:RetiringPrincipal": ROLES.expiry, "kms:GrantOperations": ["Encrypt"],
        "kms:EncryptionContextKeys": ["tenant"],
    }  # fmt: skip
    call = Call(role, f"kms:{action}", key, context)
    return decide_kms(call, key_policy=document, identity_policies=identity).allowed


RIGHTS = {
    ROLES.requests: {"CreateGrant", "GetKeyPolicy"},
    ROLES.approvals: {"DescribeKey", "GetKeyPolicy", "ListGrants", "ListKeyPolicies"},
    ROLES.expiry: {"GetKeyPolicy", "ListGrants", "RevokeGrant"},
    ROLES.reconcile: {"ListGrants"},
}
ASKED = {
    *("CreateGrant", "DescribeKey", "GetKeyPolicy", "ListGrants", "ListKeyPolicies", "RevokeGrant"),
    *("Encrypt", "PutKeyPolicy"),
}


@pytest.mark.parametrize("role", RIGHTS)
def test_the_statements_give_each_role_its_rights(role: str) -> None:
    """On a key of the broker's account the key's policy alone gives each role what it needs, no more."""
    document = merged(policy(), NEEDED, ROLES)
    assert {action for action in ASKED if may(role, action, KEY, document)} == RIGHTS[role]


@pytest.mark.parametrize("role", RIGHTS)
def test_in_another_account_both_must_allow(role: str) -> None:
    """There the role's IAM policy is needed besides, and KMS shows the key's policy to nobody."""
    document = merged(policy(), statements(ROLES, OPERATIONS, THEIRS), ROLES)
    identity = role_policies(ROLES, THEIRS, OPERATIONS)[role]
    abroad = RIGHTS[role] - {"GetKeyPolicy", "ListKeyPolicies"}
    assert {action for action in ASKED if may(role, action, THEIRS, document, identity)} == abroad
    assert not any(may(role, action, THEIRS, document) for action in ASKED)
    assert not any(may(role, action, THEIRS, policy(), identity) for action in ASKED)
    assert "Polic" not in json.dumps([document["Statement"], identity["Statement"]])


def test_at_home_no_role_policy_is_needed() -> None:
    """A key policy that names the role is enough in the key's own account."""
    assert role_policies(ROLES, KEY, OPERATIONS) == {}


def test_what_others_say_stays() -> None:
    """Statements of others keep their place and words; ours follow; the document's other elements stay."""
    after = merged(policy(ROOT), NEEDED, ROLES)
    assert after == {**policy(ROOT), "Statement": [ROOT, *NEEDED]}
    single = {"Version": "2012-10-17", "Statement": ROOT}
    assert merged(single, NEEDED, ROLES)["Statement"] == [ROOT, *NEEDED]


def test_merging_twice_changes_nothing() -> None:
    """A policy that says it all is left as it is, and the diff is empty."""
    once = merged(policy(ROOT), NEEDED, ROLES)
    turned = {**once, "Statement": once["Statement"][::-1]}
    for document in (once, turned):
        assert merged(document, NEEDED, ROLES) == document
        assert difference(document, merged(document, NEEDED, ROLES)) == ""


def test_an_older_statement_of_ours_is_replaced_where_it_stands() -> None:
    """Ours with other operations is brought up to date in place; one that stands twice goes."""
    old = statements(ROLES, ("Encrypt",), KEY)
    after = merged(policy(old[0], ROOT, old[0], *old[1:]), NEEDED, ROLES)
    assert after["Statement"] == [NEEDED[0], ROOT, *NEEDED[1:]]


@pytest.mark.parametrize("principal", [{"AWS": f"arn:aws:iam::{HOME}:role/somebody"}, "*", {"Service": "s3"}])
def test_a_sid_that_others_have_is_left_to_them(principal: Any) -> None:
    """Where somebody else's statement has our Sid, ours takes another, and keeps it."""
    foreign = {**ROOT, "Sid": "End", "Principal": principal}
    after = merged(policy(foreign), NEEDED, ROLES)
    assert after["Statement"][0] == foreign
    assert [each["Sid"] for each in after["Statement"]].count("End") == 1
    assert {**NEEDED[3], "Sid": "GrantBrokerEnd"} in after["Statement"]
    assert merged(after, NEEDED, ROLES) == after


def test_a_statement_without_a_sid_is_somebody_s() -> None:
    """A statement that has no Sid is not taken for ours."""
    nameless = {name: value for name, value in NEEDED[0].items() if name != "Sid"}
    assert merged(policy(nameless), NEEDED, ROLES)["Statement"] == [nameless, *NEEDED]


def test_merging_leaves_its_inputs_alone() -> None:
    """Nothing that was given is changed."""
    before, needed = policy(ROOT), copy.deepcopy(NEEDED)
    kept = copy.deepcopy(before)
    merged(before, needed, ROLES)
    assert (before, needed) == (kept, NEEDED)


def test_the_diff_shows_what_comes() -> None:
    """The diff is unified, from the present policy to the needed one."""
    before = policy(ROOT)
    lines = difference(before, merged(before, NEEDED, ROLES)).splitlines()
    assert lines[:2] == ["--- present", "+++ needed"]
    assert any(line.startswith("+") and '"kms:RevokeGrant"' in line for line in lines)
    assert not any(line.startswith("-") and "kms:*" in line for line in lines)


def test_what_narrows_a_statement_of_ours_stays() -> None:
    """What an operator asks besides, such as grantees under a path, is kept: nothing is widened."""
    grantees = {"StringLike": {"kms:GranteePrincipal": f"arn:aws:iam::{OTHER}:role/app/*"}}
    stale = {"StringLike": {"kms:RetiringPrincipal": "*"}, "Bool": {"aws:SecureTransport": "true"}}
    issue = {**NEEDED[0], "Condition": {**NEEDED[0]["Condition"], **grantees}}
    assert merged(policy(ROOT, issue, *NEEDED[1:]), NEEDED, ROLES) == policy(ROOT, issue, *NEEDED[1:])
    (kept, *_) = merged(policy({**NEEDED[0], "Condition": stale}), NEEDED, ROLES)["Statement"]
    assert kept["Condition"] == {**NEEDED[0]["Condition"], "Bool": {"aws:SecureTransport": "true"}}
    (_, read, *_) = merged(policy({**NEEDED[1], "Condition": grantees}), NEEDED, ROLES)["Statement"]
    assert read["Sid"] == "Issue"


def test_a_statement_of_ours_that_is_needed_no_more_goes() -> None:
    """Where a key is of another account, what KMS shows within its own account alone is not asked for."""
    needed = statements(ROLES, OPERATIONS, THEIRS)
    assert merged(policy(ROOT, *NEEDED), needed, ROLES)["Statement"] == [ROOT, *needed]


def test_a_sid_is_unique_whatever_others_have() -> None:
    """Ours takes the first Sid that is free."""
    foreign = [{**ROOT, "Sid": sid} for sid in ("End", "GrantBrokerEnd")]
    sids = [each["Sid"] for each in merged(policy(*foreign), NEEDED, ROLES)["Statement"]]
    assert "GrantBrokerGrantBrokerEnd" in sids
    assert len(set(sids)) == len(sids)


def test_a_policy_is_written_as_small_as_it_must_be() -> None:
    """Indented for people, compact where KMS takes no more, not at all where even that is too large."""
    few, many = policy(*[ROOT] * 10), policy(*[ROOT] * 200)
    assert text_of(few) == json.dumps(few, indent=2)
    assert text_of(many) == json.dumps(many, separators=(",", ":"))
    assert text_of(policy(*[ROOT] * 300)) is None
