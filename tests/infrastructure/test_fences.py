"""The fences of the function that alone creates grants: Denies, so that they hold on every key."""

from typing import Any

import pytest

from grant_broker.policy_engine import Call, Verdict, decide_kms
from tests.infrastructure.stack import (
    ROLES,
    call,
    decided,
    deployed,
    key_policy,
    policies,
    role_arn,
    session_arn,
    template,
)
from tests.local_stack.people import HOME, TRUSTED

GRANTABLE = ["Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptTo", "DescribeKey"]
ABSENT = object()

# Name of what differs from a grant that is in order: the condition keys that differ, whether it may pass.
VARIANTS: dict[str, tuple[dict[str, Any], bool]] = {
    "as it should be": ({}, True),
    "every operation that may be granted": ({"kms:GrantOperations": GRANTABLE}, True),
    "a subset constraint": ({"kms:GrantConstraintType": "EncryptionContextSubset"}, True),
    "to a role with a path": ({"kms:GranteePrincipal": "arn:aws:iam::444455556666:role/app/writer"}, True),
    "to a user": ({"kms:GranteePrincipal": "arn:aws:iam::444455556666:user/writer"}, True),
    "to one session": ({"kms:GranteePrincipal": "arn:aws:sts::444455556666:assumed-role/writer/one"}, True),
    "to the other trusted account": ({"kms:GranteePrincipal": "arn:aws:iam::666677778888:role/writer"}, True),
    "to the home account": ({"kms:GranteePrincipal": "arn:aws:iam::111122223333:role/writer"}, True),
    # Operations
    "Decrypt": ({"kms:GrantOperations": ["Decrypt"]}, False),
    "Encrypt with Decrypt": ({"kms:GrantOperations": ["Encrypt", "Decrypt"]}, False),
    "ReEncryptFrom": ({"kms:GrantOperations": ["ReEncryptFrom"]}, False),
    "CreateGrant": ({"kms:GrantOperations": ["CreateGrant"]}, False),
    "Encrypt with CreateGrant": ({"kms:GrantOperations": ["Encrypt", "CreateGrant"]}, False),
    "RetireGrant": ({"kms:GrantOperations": ["Encrypt", "RetireGrant"]}, False),
    "an operation of tomorrow": ({"kms:GrantOperations": ["Encrypt", "Decapsulate"]}, False),
    # Constraint
    "no constraint": ({"kms:GrantConstraintType": ABSENT}, False),
    "another constraint": ({"kms:GrantConstraintType": "SourceArn"}, False),
    # The strict KMS refuses it; here it is read as one that KMS takes.
    "an empty constraint": ({"kms:EncryptionContextKeys": ABSENT}, False),
    "an empty subset constraint": (
        {"kms:GrantConstraintType": "EncryptionContextSubset", "kms:EncryptionContextKeys": ABSENT},
        False,
    ),
    # Retiring principal
    "no retiring principal": ({"kms:RetiringPrincipal": ABSENT}, False),
    "the grantee retires": ({"kms:RetiringPrincipal": "arn:aws:iam::444455556666:role/writer"}, False),
    "requests itself retires": (
        {"kms:RetiringPrincipal": role_arn("requests")},
        False,
    ),
    "a service retires": (
        {"kms:RetiringPrincipal": ABSENT, "kms:RetiringServicePrincipal": "ec2.amazonaws.com"},
        False,
    ),
    # Grantee
    "to an account's root": ({"kms:GranteePrincipal": "arn:aws:iam::444455556666:root"}, False),
    "to the home account's root": ({"kms:GranteePrincipal": "arn:aws:iam::111122223333:root"}, False),
    "to an account, by its number": ({"kms:GranteePrincipal": "444455556666"}, False),
    "to an account that nobody trusts": (
        {"kms:GranteePrincipal": "arn:aws:iam::777788889999:role/outsider"},
        False,
    ),
    "to a session from there": (
        {"kms:GranteePrincipal": "arn:aws:sts::777788889999:assumed-role/o/s"},
        False,
    ),
    "to a federated user": ({"kms:GranteePrincipal": "arn:aws:sts::444455556666:federated-user/f"}, False),
    # A path is free text: another account may write a trusted one's id into it, and what kind it would be.
    **{
        f"to an untrusted {kind} with a trusted account in its path": (
            {"kms:GranteePrincipal": f"arn:aws:iam::777788889999:{kind}/::444455556666:role/:/x"},
            False,
        )
        for kind in ("role", "user", "group")
    },
    **{f"to the role of {name}": ({"kms:GranteePrincipal": role_arn(name)}, False) for name in ROLES},
    **{f"to a session of {name}": ({"kms:GranteePrincipal": session_arn(name)}, False) for name in ROLES},
    "to the data reader": (
        {"kms:GranteePrincipal": template().reference("DataReaderRole", "Arn")},
        True,
    ),
    "to a group": ({"kms:GranteePrincipal": "arn:aws:iam::444455556666:group/all"}, False),
    "to a service": (
        {"kms:GranteePrincipal": ABSENT, "kms:GranteeServicePrincipal": "ec2.amazonaws.com"},
        False,
    ),
}


def _context(changes: dict[str, Any]) -> dict[str, Any]:
    base = {
        "kms:GranteePrincipal": "arn:aws:iam::444455556666:role/partner-application",
        "kms:RetiringPrincipal": deployed().template.reference("ExpiryRole", "Arn"),
        "kms:GrantOperations": ["Encrypt"],
        "kms:GrantConstraintType": "EncryptionContextEquals",
        "kms:EncryptionContextKeys": ["customer"],
    }
    return {name: value for name, value in (base | changes).items() if value is not ABSENT}


def grant_in_order() -> dict[str, Any]:
    """The condition keys of a CreateGrant call that every fence lets through."""
    return _context({})


def open_key(role: str) -> dict[str, Any]:
    """A key policy that lets the role do anything: what an administrator might write by mistake."""
    everything = {"Effect": "Allow", "Principal": {"AWS": deployed().functions[role].role}}
    statement = everything | {"Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize(("changes", "may"), VARIANTS.values(), ids=VARIANTS)
def test_fence(changes: dict[str, Any], *, may: bool) -> None:
    """By the founding key's policy and the role's together."""
    asked = call("requests", "kms:CreateGrant", deployed().keys["partner_data"], **_context(changes))
    assert decided(asked, "requests").allowed is may


@pytest.mark.parametrize(("changes", "may"), VARIANTS.values(), ids=VARIANTS)
def test_the_denies_alone_hold_on_anopen_key(changes: dict[str, Any], *, may: bool) -> None:
    """On a key whose policy allows the role everything, the role's own Denies refuse the same calls."""
    asked = call("requests", "kms:CreateGrant", deployed().keys["partner_data"], **_context(changes))
    verdict = decided(asked, "requests", open_key("requests")).verdict
    assert verdict is (Verdict.ALLOWED if may else Verdict.EXPLICITLY_DENIED)


@pytest.mark.parametrize(("changes", "may"), VARIANTS.values(), ids=VARIANTS)
def test_the_key_policy_alone_holds_for_a_role_without_fences(changes: dict[str, Any], *, may: bool) -> None:
    """Were the role's Denies lost, the founding key still asks for operations, constraint and retirer."""
    asked = call("requests", "kms:CreateGrant", deployed().keys["partner_data"], **_context(changes))
    grantee_only = not may and set(changes) <= {"kms:GranteePrincipal", "kms:GranteeServicePrincipal"}
    assert _without_identity(asked) is (may or grantee_only)


def _without_identity(asked: Call) -> bool:
    return decide_kms(asked, key_policy=key_policy(), identity_policies=[]).allowed


def _grantees(sid: str, effect: str = "StringNotLike") -> list[str]:
    """What a Deny of every CreateGrant, on every key, says of the grantee and of nothing else."""
    [fence] = [s for policy in policies("requests") for s in policy["Statement"] if s.get("Sid") == sid]
    assert (fence["Effect"], fence["Action"], fence["Resource"]) == ("Deny", "kms:CreateGrant", "*")
    [(operator, known)] = fence["Condition"].items()
    assert (operator, list(known)) == (effect, ["kms:GranteePrincipal"])
    return sorted(known["kms:GranteePrincipal"])


def test_the_grantees_that_the_fence_knows() -> None:
    """Roles, users and sessions of the home account and of the trusted ones: no root, and nobody else."""
    kinds = ("arn:aws:iam::{}:role/*", "arn:aws:iam::{}:user/*", "arn:aws:sts::{}:assumed-role/*")
    assert _grantees("RolesUsersAndSessionsOnly") == sorted(kind.format("?" * 12) for kind in kinds)
    accounts = [f"arn:aws:???::{account}:*" for account in (HOME, *TRUSTED)]
    assert _grantees("TrustedAccountsOnly") == sorted(accounts)
    own = [*map(role_arn, ROLES), *(session_arn(name).rpartition("/")[0] + "/*" for name in ROLES)]
    assert _grantees("NoRoleOfTheStack", "StringLike") == sorted(own)


def test_without_trusted_accounts_the_home_account_alone_is_granted() -> None:
    """An empty list is no wildcard."""
    alone = deployed(TrustedAccounts="")
    [fence] = [
        statement
        for policy in policies("requests", alone)
        for statement in policy["Statement"]
        if statement.get("Sid") == "TrustedAccountsOnly"
    ]
    known = fence["Condition"]["StringNotLike"]["kms:GranteePrincipal"]
    assert known == [f"arn:aws:???::{HOME}:*"]


@pytest.mark.parametrize("operations", ["Encrypt,Decrypt", "Encrypt,Decrypt,CreateGrant"])
def test_the_stack_may_widen_the_operations_but_never_to_creategrant(operations: str) -> None:
    """GrantableOperations opens Decrypt; CreateGrant stays shut even where it is listed."""
    wide = deployed(GrantableOperations=operations)
    policies = wide.cloud.directory.principals[wide.functions["requests"].role].policies
    key = wide.template.properties("PartnerDataKey")["KeyPolicy"]
    for asked, may in (("Decrypt", True), ("GenerateDataKey", False), ("CreateGrant", False)):
        context = _context({"kms:GrantOperations": [asked]})
        found = decide_kms(
            call("requests", "kms:CreateGrant", wide.keys["partner_data"], **context),
            key_policy=key,
            identity_policies=policies,
        )
        assert found.allowed is may
