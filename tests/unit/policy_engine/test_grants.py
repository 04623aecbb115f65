"""What grants allow (CreateGrant, RetireGrant)."""

from typing import Any

import pytest

from grant_broker.policy_engine import KeyCase
from tests.unit.policy_engine.calls import (
    ALLOWED,
    EVERYTHING,
    EXPLICIT,
    HOME,
    IMPLICIT,
    KEY,
    PARTNER_ROOT,
    ROLE,
    ROOT,
    SESSION,
    USER,
    call,
    naming,
    policy,
    statement,
    verdict,
)

PAIRS = {"tenant": "acme", "purpose": "backup"}
EQUALS, SUBSET = "EncryptionContextEquals", "EncryptionContextSubset"


def grant(grantee: str | None = ROLE, *operations: str, **elements: Any) -> dict[str, Any]:
    """An entry of ListGrants."""
    listed = {"GrantId": "g-1", "KeyId": KEY, "Operations": list(operations or ["Encrypt"]), **elements}
    return listed if grantee is None else {**listed, "GranteePrincipal": grantee}


OPERATIONS = [
    *("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "GenerateDataKeyPair"),
    *(
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPairWithoutPlaintext",
        "DescribeKey",
        "GetPublicKey",
    ),
    *("Sign", "Verify", "GenerateMac", "VerifyMac", "DeriveSharedSecret", "Encapsulate", "Decapsulate"),
]


@pytest.mark.parametrize("given", OPERATIONS)
def test_operation_is_the_action_of_its_name(given: str) -> None:
    """Each grant operation allows the action of its name and no other."""
    allowed = [
        name
        for name in OPERATIONS
        if verdict(call(action=f"kms:{name}"), grants=[grant(ROLE, given)]) is ALLOWED
    ]
    assert allowed == [given]


@pytest.mark.parametrize("action", ["kms:PutKeyPolicy", "kms:ListGrants", "kms:RevokeGrant", "s3:Encrypt"])
def test_no_grant_gives_more_than_grant_operations(action: str) -> None:
    """What is no grant operation is not given, even if an entry listed it."""
    listed = grant(ROLE, action.removeprefix("kms:"), "*", "Encrypt")
    assert verdict(call(action=action), grants=[listed]) is IMPLICIT


@pytest.mark.parametrize(
    ("grantee", "caller", "matches"),
    [
        (ROLE, ROLE, True),
        (ROLE, SESSION, True),
        (SESSION, SESSION, True),
        (SESSION, SESSION.replace("nightly", "daily"), False),
        (SESSION, ROLE, False),
        (USER, USER, True),
        (USER, ROLE, False),
        (f"arn:aws:iam::{HOME}:role/encryptor", SESSION, False),
        ("AROAEXAMPLEEXAMPLE", SESSION, False),
        ("*", SESSION, False),
        (None, SESSION, False),
    ],
)
def test_grantee(grantee: str | None, caller: str, *, matches: bool) -> None:
    """The grantee is one user, role or session; the id of a deleted role is nobody."""
    assert verdict(call(caller), grants=[grant(grantee)]) is (ALLOWED if matches else IMPLICIT)


def test_grant_to_an_account_leaves_it_to_iam() -> None:
    """A grant to an account's root allows the root user, and others with an identity policy."""
    to_account = [grant(ROOT)]
    assert verdict(call(ROOT), grants=to_account) is ALLOWED
    assert verdict(call(USER), grants=to_account) is IMPLICIT
    assert verdict(call(USER), grants=to_account, identity=(EVERYTHING,)) is ALLOWED
    assert verdict(call(PARTNER_ROOT), grants=to_account) is IMPLICIT


@pytest.mark.parametrize(
    ("constraints", "pairs", "met"),
    [
        ({EQUALS: PAIRS}, {"purpose": "backup", "tenant": "acme"}, True),
        ({EQUALS: PAIRS}, {**PAIRS, "more": "x"}, False),
        ({EQUALS: PAIRS}, {"tenant": "acme"}, False),
        ({EQUALS: PAIRS}, {**PAIRS, "tenant": "Acme"}, False),
        ({EQUALS: PAIRS}, {}, False),
        ({EQUALS: {"Tenant": "acme"}}, {"tenant": "acme"}, True),
        ({EQUALS: {"Tenant": "Acme"}}, {"tenant": "acme"}, False),
        ({SUBSET: PAIRS}, PAIRS, True),
        ({SUBSET: PAIRS}, {**PAIRS, "more": "x"}, True),
        ({SUBSET: PAIRS}, {"tenant": "acme"}, False),
        ({SUBSET: PAIRS}, {**PAIRS, "tenant": "globex"}, False),
        ({EQUALS: PAIRS, SUBSET: {"tenant": "acme"}}, PAIRS, True),
        ({EQUALS: PAIRS, SUBSET: {"tenant": "globex"}}, PAIRS, False),
        ({EQUALS: {}}, {}, True),
        ({EQUALS: {}}, PAIRS, False),
        ({SUBSET: {}}, PAIRS, True),
        ({SUBSET: {}}, {}, True),
        ({"SourceArn": "arn:aws:s3:::x"}, PAIRS, False),
        ({"Newer": PAIRS}, PAIRS, False),
        ({EQUALS: "tenant"}, PAIRS, False),
        ({}, PAIRS, True),
        (None, {}, True),
    ],
)
def test_constraint(constraints: Any, pairs: dict[str, str], *, met: bool) -> None:
    """Equals wants the same pairs, subset all of its own, if any; an unknown kind is met by nothing."""
    constrained = [grant(Constraints=constraints)]
    expected = ALLOWED if met else IMPLICIT
    assert verdict(call(encryption_context=pairs), grants=constrained) is expected
    context = {f"kms:EncryptionContext:{key}": value for key, value in pairs.items()}
    assert verdict(call(context=context), grants=constrained) is expected


@pytest.mark.parametrize("kind", [EQUALS, SUBSET])
def test_case_of_keys(kind: str) -> None:
    """A constraint's keys ignore case unless the exact reading is asked for; values never do."""
    listed = [grant(Constraints={kind: {"Tenant": "acme"}})]
    exact: dict[str, Any] = {"grants": listed, "key_case": KeyCase.EXACT}
    assert verdict(call(encryption_context={"tenant": "acme"}), grants=listed) is ALLOWED
    assert verdict(call(encryption_context={"tenant": "acme"}), **exact) is IMPLICIT
    assert verdict(call(encryption_context={"Tenant": "acme"}), **exact) is ALLOWED
    assert verdict(call(encryption_context={"Tenant": "ACME"}), grants=listed) is IMPLICIT


def test_case_of_keys_that_are_passed_on() -> None:
    """A grantee passes its constraint on in another case of its keys unless the exact reading holds."""
    parent = [grant(ROLE, "Encrypt", "CreateGrant", Constraints={EQUALS: {"Tenant": "acme"}})]
    context = {"kms:GrantOperations": ["Encrypt"], "kms:GrantConstraintType": EQUALS}
    asked = call(action="kms:CreateGrant", context=context, encryption_context={"tenant": "acme"})
    assert verdict(asked, grants=parent) is ALLOWED
    assert verdict(asked, grants=parent, key_case=KeyCase.EXACT) is IMPLICIT


def test_grant_to_a_service() -> None:
    """A grant to an AWS service, as ListGrants shows it, gives nothing to a user or role."""
    service = "rds.eu-central-1.amazonaws.com"
    named = {"GranteeServicePrincipal": service, "RetiringServicePrincipal": service}
    listed = grant(None, Constraints={"SourceArn": f"arn:aws:rds:eu-central-1:{HOME}:db:x"}, **named)
    for grantee in (None, service, ROLE):
        entry = listed if grantee is None else {**listed, "GranteePrincipal": grantee}
        assert verdict(grants=[entry]) is IMPLICIT
        assert verdict(grants=[{**entry, "Constraints": {}}]) is (ALLOWED if grantee == ROLE else IMPLICIT)


@pytest.mark.parametrize(
    ("action", "source", "allowed"),
    [
        ("Encrypt", "arn:aws:s3:::x", True),
        ("Encrypt", "arn:aws:s3:::y", False),
        ("Encrypt", None, False),
        ("DescribeKey", "arn:aws:s3:::x", True),
        ("DescribeKey", None, False),
        ("RetireGrant", None, True),
    ],
)
def test_source_arn(action: str, source: str | None, *, allowed: bool) -> None:
    """A constraint by SourceArn holds for calls made for this resource, but not for RetireGrant."""
    listed = [
        grant(ROLE, "Encrypt", "DescribeKey", "RetireGrant", Constraints={"SourceArn": "arn:aws:s3:::x"})
    ]
    asked = call(action=f"kms:{action}", context={"aws:SourceArn": source} if source else {})
    assert verdict(asked, grants=listed) is (ALLOWED if allowed else IMPLICIT)


@pytest.mark.parametrize("action", ["DescribeKey", "RetireGrant"])
def test_calls_without_encryption_context(action: str) -> None:
    """KMS ignores a constraint for DescribeKey and RetireGrant."""
    constrained = grant(ROLE, "DescribeKey", "RetireGrant", "Encrypt", Constraints={EQUALS: PAIRS})
    assert verdict(call(action=f"kms:{action}"), grants=[constrained]) is ALLOWED
    assert verdict(call(action="kms:Encrypt"), grants=[constrained]) is IMPLICIT


@pytest.mark.parametrize(
    ("key", "counts"),
    [(KEY, True), (KEY.rpartition("/")[2], True), (None, True), (KEY[:-1] + "1", False), ("", False)],
)
def test_grant_is_for_its_key(key: str | None, *, counts: bool) -> None:
    """A grant on another key allows nothing on this one."""
    assert verdict(grants=[grant(KeyId=key)]) is (ALLOWED if counts else IMPLICIT)


def test_pending_grant_needs_its_token() -> None:
    """A grant that has not reached every endpoint counts for calls with its token only."""
    pending = [grant(Pending=True, GrantToken="t-1")]
    assert verdict(grants=pending) is IMPLICIT
    assert verdict(call(grant_tokens=["t-2"]), grants=pending) is IMPLICIT
    assert verdict(call(grant_tokens=["t-2", "t-1"]), grants=pending) is ALLOWED
    assert verdict(call(grant_tokens=["t-2"]), grants=[grant()]) is ALLOWED


def test_any_grant_suffices() -> None:
    """Grants add up: one that fits is enough."""
    assert verdict(grants=[grant(USER), grant(ROLE, "Decrypt"), grant()]) is ALLOWED


@pytest.mark.parametrize(
    ("operations", "allowed"),
    [
        (["Encrypt"], True),
        ("Encrypt", True),
        (["Encrypt", "CreateGrant"], True),
        (["Decrypt"], False),
        (["Encrypt", "Decrypt"], False),
        ([], False),
    ],
)
def test_grantee_passes_on_no_more_than_it_has(operations: object, *, allowed: bool) -> None:
    """A grant with CreateGrant lets its grantee give away the grant's own operations only."""
    asked = call(action="kms:CreateGrant", context={"kms:GrantOperations": operations})
    assert verdict(asked, grants=[grant(ROLE, "Encrypt", "CreateGrant")]) is (
        ALLOWED if allowed else IMPLICIT
    )


@pytest.mark.parametrize(
    ("own", "kind", "pairs", "allowed"),
    [
        (EQUALS, EQUALS, PAIRS, True),
        (EQUALS, SUBSET, PAIRS, False),
        (EQUALS, EQUALS, {**PAIRS, "more": "x"}, False),
        (SUBSET, SUBSET, PAIRS, True),
        (SUBSET, EQUALS, {**PAIRS, "more": "x"}, True),
        (SUBSET, SUBSET, {"tenant": "acme"}, False),
        (SUBSET, None, PAIRS, False),
        (EQUALS, None, PAIRS, False),
    ],
)
def test_grantee_passes_on_its_constraint(
    own: str, kind: str | None, pairs: dict[str, str], *, allowed: bool
) -> None:
    """A constrained grant can be passed on under an equal or stricter constraint only."""
    context: dict[str, Any] = {"kms:GrantOperations": ["Encrypt"]}
    if kind:
        context["kms:GrantConstraintType"] = kind
    asked = call(action="kms:CreateGrant", context=context, encryption_context=pairs)
    parent = grant(ROLE, "Encrypt", "CreateGrant", Constraints={own: PAIRS})
    assert verdict(asked, grants=[parent]) is (ALLOWED if allowed else IMPLICIT)


RETIRE = "kms:RetireGrant"


@pytest.mark.parametrize(
    ("elements", "identity", "expected"),
    [
        ({"RetiringPrincipal": ROLE}, (), ALLOWED),
        ({"RetiringPrincipal": USER}, (), IMPLICIT),
        ({"RetiringPrincipal": ROLE, "KeyId": "another"}, (), IMPLICIT),
        ({"RetiringPrincipal": ROLE}, (policy(statement("Deny", Action=RETIRE)),), EXPLICIT),
        ({"IssuingAccount": ROOT}, (), IMPLICIT),
        ({"IssuingAccount": ROOT}, (EVERYTHING,), ALLOWED),
        ({"IssuingAccount": PARTNER_ROOT}, (EVERYTHING,), IMPLICIT),
        ({"Operations": ["RetireGrant"], "GranteePrincipal": ROLE}, (), ALLOWED),
        ({}, (EVERYTHING,), IMPLICIT),
    ],
)
def test_retiring(elements: dict[str, Any], identity: tuple[Any, ...], expected: object) -> None:
    """The retiring principal, a grantee given RetireGrant and the creating account with IAM may retire."""
    assert verdict(call(action=RETIRE), identity=identity, grants=[grant(None, **elements)]) is expected


def test_retiring_by_the_creating_account_itself() -> None:
    """The root user of the creating account needs no identity policy."""
    assert verdict(call(ROOT, RETIRE), grants=[grant(USER, IssuingAccount=ROOT)]) is ALLOWED


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_key_policy_has_no_say_in_retiring(effect: str) -> None:
    """kms:RetireGrant is without effect in a key policy, in an Allow and in a Deny."""
    assert verdict(call(action=RETIRE), naming(ROLE), grants=[grant(USER)]) is IMPLICIT
    own = [grant(USER, RetiringPrincipal=ROLE)]
    assert verdict(call(action=RETIRE), naming(ROLE, effect), grants=own) is ALLOWED
