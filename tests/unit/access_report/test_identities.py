"""What IAM policies give of what a key policy leaves to them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from grant_broker.access_report import AccessEntry, AccessTally, Identity, IdentityPolicy, KeyPolicies
from grant_broker.access_report.identities import delegated_accounts, entries_by_iam
from grant_broker.access_report.policies import entries_of
from tests.unit.access_report.samples import (
    ADMIN,
    APPLICATION,
    EXPIRY,
    HOME,
    KEY,
    PARTNER,
    READER,
    ROOT,
    codes,
    grant,
    policy,
    statement,
)

WHOLE = policy(statement(ROOT, "kms:*", Sid="Root"))


def allow(*actions: str, **others: Any) -> dict[str, Any]:
    """A statement of an identity policy."""
    base = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **others}
    return {name: value for name, value in base.items() if value is not None}


def named(name: str, *statements: dict[str, Any]) -> IdentityPolicy:
    """An identity policy."""
    return IdentityPolicy(name, json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def identity(
    *statements: dict[str, Any], arn: str = ADMIN, boundary: IdentityPolicy | None = None
) -> Identity:
    """A role with one policy."""
    return Identity(arn, (named("own", *statements),), boundary)


def held(document: dict[str, Any], *identities: Identity) -> list[AccessEntry]:
    """What the identities have by IAM."""
    return list(entries_by_iam(document, KEY, list(entries_of(document, KEY)), identities))


def actions(document: dict[str, Any], *identities: Identity) -> list[tuple[str, tuple[str, ...]]]:
    """Principals and actions."""
    return [(entry.principal, entry.actions) for entry in held(document, *identities)]


def test_what_is_left_to_an_account() -> None:
    """A role has what its policies allow of what the key policy leaves to its account, by which policy."""
    (entry,) = held(WHOLE, identity(allow("kms:PutKey*", "kms:CreateKey", "s3:*", Sid="Manage")))
    assert (entry.principal, entry.actions) == (ADMIN, ("kms:PutKeyPolicy",))
    through = entry.through
    assert (through.kind, through.sid, through.account, through.policy) == (
        "iam",
        "Root",
        HOME,
        "own, Manage",
    )
    assert (entry.constraint, entry.until) == (None, None)
    assert held(policy(statement(ROOT, "kms:Sign")), identity(allow("kms:Encrypt"))) == []


def test_what_is_left_to_one_principal() -> None:
    """What a condition leaves to one principal alone nobody else has; nor has another account's."""
    one = statement(ROOT, "kms:Decrypt", Condition={"ArnEquals": {"aws:PrincipalArn": READER}})
    document = policy(one, statement(PARTNER, "kms:Encrypt"), statement(ADMIN, "kms:Sign"))
    everything = [identity(allow("kms:*"), arn=arn) for arn in (READER, ADMIN, APPLICATION)]
    assert actions(document, *everything) == [(READER, ("kms:Decrypt",)), (APPLICATION, ("kms:Encrypt",))]
    assert delegated_accounts(KeyPolicies(document), KEY) == {HOME, PARTNER}
    assert delegated_accounts(KeyPolicies(None), KEY) == delegated_accounts(KeyPolicies("{}"), KEY) == set()


@pytest.mark.parametrize(
    ("resource", "shown"),
    [
        ("*", True),
        (KEY, True),
        ("arn:aws:kms:*:*:key/*", True),
        ("arn:aws:kms:*:*:key/${aws:PrincipalTag/key}", True),
        (f"{KEY}-other", False),
        ("arn:aws:s3:::bucket", False),
    ],
)
def test_resources(resource: str, shown: bool) -> None:  # noqa: FBT001 - a parameter
    """Only statements about the key count; what a variable might name is shown."""
    assert bool(held(WHOLE, identity(allow("kms:Decrypt", Resource=resource)))) is shown


def test_denies_of_iam() -> None:
    """An unconditional Deny takes away, one under conditions or about a variable resource is shown."""
    deny = allow("kms:Enc*", Effect="Deny", Sid="No")
    both = ("kms:Decrypt", "kms:Encrypt")
    assert actions(WHOLE, identity(allow(*both), deny)) == [(ADMIN, ("kms:Decrypt",))]
    assert actions(WHOLE, identity(allow("kms:Encrypt"), deny)) == []
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
    (entry,) = held(WHOLE, identity(allow(*both), {**deny, "Condition": condition}, allow("kms:Sign")))[:1]
    assert (entry.actions, entry.constraint) == (
        both,
        {"Unless": [{"Sid": "own, No", "Condition": condition}]},
    )
    variable = {**deny, "Resource": "arn:aws:kms:*:*:key/${aws:PrincipalTag/key}"}
    assert actions(WHOLE, identity(allow(*both), variable)) == [(ADMIN, both)]


def test_denies_of_the_key_policy() -> None:
    """What the key policy denies to the principal itself it does not have by IAM."""
    deny = statement(ADMIN, "kms:Encrypt", Effect="Deny", Sid="No")
    document = policy(statement(ROOT, "kms:Encrypt", "kms:Decrypt"), deny)
    whole = [identity(allow("kms:*")), identity(allow("kms:*"), arn=READER)]
    assert actions(document, *whole) == [(ADMIN, ("kms:Decrypt",)), (READER, ("kms:Decrypt", "kms:Encrypt"))]


def test_conditions_of_both_are_shown() -> None:
    """The conditions of the key policy and of the IAM policy stand side by side; the earlier end counts."""
    of_key = {"DateLessThan": {"aws:CurrentTime": "2031-01-01T00:00:00Z"}}
    of_iam = {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}
    document = policy(statement(ROOT, "kms:Decrypt", Condition=of_key))
    (entry,) = held(document, identity(allow("kms:Decrypt", Condition=of_iam)))
    assert entry.constraint == {"Condition": of_key, "IamCondition": of_iam}
    assert entry.until == datetime(2030, 1, 1, tzinfo=UTC)


def test_a_permissions_boundary() -> None:
    """What the boundary does not allow, or denies, no policy gives."""
    within = named("edge", allow("kms:D*"), allow("kms:DescribeKey", Effect="Deny"), allow("s3:*"))
    inside = identity(allow("kms:*"), boundary=within)
    (entry,) = held(policy(statement(ROOT, "kms:D*", "kms:Encrypt")), inside)
    assert "kms:Decrypt" in entry.actions
    assert not {"kms:DescribeKey", "kms:Encrypt"}.intersection(entry.actions)


def test_a_policy_that_cannot_be_read() -> None:
    """A policy that no rule reads gives nothing, and is told; the others count."""
    broken = IdentityPolicy("broken", '{"Statement": [{}]}')
    one = Identity(ADMIN, (broken, named("own", allow("kms:PutKeyPolicy"))), boundary=None)
    tally = AccessTally(KEY, retiring_principal=EXPIRY)
    found = tally.report(KeyPolicies(WHOLE), identities=[one])
    assert ("identity_policy_not_understood", ADMIN) in codes(found)
    assert found.entries[-1].actions == ("kms:PutKeyPolicy",)
    bounded = Identity(READER, (named("own", allow("kms:Decrypt")),), boundary=broken)
    assert tally.report(KeyPolicies(WHOLE), identities=[bounded]).counts["iam_entries"] == 0


def test_findings_about_whom_iam_lets_in() -> None:
    """Administrators who may use the key, and standing use beside grants, are found by IAM too."""
    tally = AccessTally(KEY, retiring_principal=EXPIRY)
    tally.add(grant(GranteePrincipal=READER))
    document = policy(statement(ROOT, "kms:PutKeyPolicy", "kms:Encrypt", Sid="Root"))
    whole = [identity(allow("kms:*")), identity(allow("kms:Encrypt"), arn=READER)]
    found = tally.report(KeyPolicies(document), identities=whole)
    assert codes(found) == [
        ("standing_access", READER),
        ("administrator_use", ROOT),
        ("administrator_use", ADMIN),
    ]
    assert (found.counts["policy_entries"], found.counts["iam_entries"]) == (1, 2)
    assert "iam_entries" not in tally.report(KeyPolicies(document)).counts
    assert tally.report(KeyPolicies(None), identities=whole).counts["iam_entries"] == 0
