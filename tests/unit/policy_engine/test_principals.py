"""Whom a Principal or NotPrincipal element names."""

import pytest

from tests.unit.policy_engine.calls import (
    ALLOWED,
    EXPLICIT,
    HOME,
    IMPLICIT,
    PARTNER_ROLE,
    PARTNER_ROOT,
    ROLE,
    ROOT,
    SESSION,
    USER,
    call,
    decided,
    naming,
    policy,
    statement,
    verdict,
)


@pytest.mark.parametrize(
    ("principal", "caller", "named"),
    [
        ("*", USER, True),
        (["*"], SESSION, True),
        (USER, USER, True),
        (USER.upper(), USER, False),
        (USER, f"{USER}-2", False),
        (f"arn:aws:iam::{HOME}:user/bob", USER, False),
        (ROLE, ROLE, True),
        (ROLE, SESSION, True),
        ([USER, ROLE], SESSION, True),
        (f"arn:aws:iam::{HOME}:role/encryptor", SESSION, False),
        (SESSION, SESSION, True),
        (SESSION, SESSION.replace("nightly", "daily"), False),
        (SESSION, ROLE, False),
        (f"arn:aws:iam::{HOME}:role/*", ROLE, False),
        ("AROAEXAMPLEEXAMPLE", SESSION, False),
        (ROOT, ROOT, True),
        (HOME, ROOT, True),
        (USER, ROOT, False),
        (f"arn:aws:sts::{HOME}:federated-user/bob", f"arn:aws:sts::{HOME}:federated-user/bob", True),
    ],
)
def test_principal_names_the_caller(principal: object, caller: str, *, named: bool) -> None:
    """Users, roles with their path, sessions by name or role, the root user and everyone."""
    assert verdict(call(caller), naming(principal)) is (ALLOWED if named else IMPLICIT)
    assert verdict(call(caller), naming(principal, "Deny")) is (EXPLICIT if named else IMPLICIT)


def test_everyone_in_short() -> None:
    """The element "*" is everyone too."""
    assert verdict(call(USER), policy(statement(Principal="*"))) is ALLOWED


@pytest.mark.parametrize("account", [ROOT, HOME])
@pytest.mark.parametrize("caller", [USER, ROLE, SESSION])
def test_account_delegates(account: str, caller: str) -> None:
    """Naming the account allows nobody by itself, and denies everybody in it."""
    assert verdict(call(caller), naming(account)) is IMPLICIT
    assert verdict(call(caller), naming(account), (policy(statement()),)) is ALLOWED
    assert verdict(call(caller), naming(account, "Deny")) is EXPLICIT
    assert verdict(call(PARTNER_ROLE), naming(account, "Deny")) is IMPLICIT


@pytest.mark.parametrize("kind", ["Service", "Federated", "CanonicalUser"])
def test_other_kinds_name_no_caller(kind: str) -> None:
    """Services, federations and canonical users are no IAM callers, even as an asterisk."""
    assert verdict(call(USER), policy(statement(Principal={kind: "*"}))) is IMPLICIT


@pytest.mark.parametrize(
    ("excepted", "caller", "denied"),
    [
        ([ROOT, ROLE, SESSION], SESSION, False),
        ([ROOT, ROLE], SESSION, True),
        ([ROLE, SESSION], SESSION, True),
        ([ROOT, ROLE], ROLE, False),
        ([ROOT], ROLE, True),
        ([ROOT], ROOT, False),
        ([PARTNER_ROOT, PARTNER_ROLE], ROLE, True),
        (["*"], ROLE, False),
    ],
)
def test_not_principal_in_a_deny(excepted: list[str], caller: str, *, denied: bool) -> None:
    """A Deny spares only whom NotPrincipal lists in every form: account, role and session."""
    document = policy(
        statement("Deny", NotPrincipal={"AWS": excepted}),
        statement(Principal="*"),
    )
    assert verdict(call(caller), document) is (EXPLICIT if denied else ALLOWED)


@pytest.mark.parametrize(
    ("excepted", "allowed"),
    [([ROOT], False), ([ROLE], False), ([SESSION], False), ([USER], True), (["*"], False)],
)
def test_not_principal_in_an_allow(excepted: list[str], *, allowed: bool) -> None:
    """An Allow reaches only those of whom NotPrincipal lists no form."""
    document = policy(statement(NotPrincipal={"AWS": excepted}))
    assert verdict(call(SESSION), document) is (ALLOWED if allowed else IMPLICIT)


@pytest.mark.parametrize(
    "role", [None, USER, f"arn:aws:iam::{HOME}:role/other", PARTNER_ROLE, ["a"], f"arn:aws:iam::{HOME}:role/"]
)
def test_session_needs_its_role(role: object) -> None:
    """A session whose context does not hold its own role is an error: its rights cannot be told."""
    with pytest.raises(ValueError, match="must be the role behind"):
        decided(call(SESSION, context={"aws:PrincipalArn": role or ""}))


@pytest.mark.parametrize("caller", ["", "bob", "arn:aws:s3:::bucket", "arn:aws:iam::1:user/x"])
def test_caller_that_is_no_principal(caller: str) -> None:
    """Only principals of IAM and STS call."""
    with pytest.raises(ValueError, match="not the ARN of an IAM principal"):
        decided(call(caller))
