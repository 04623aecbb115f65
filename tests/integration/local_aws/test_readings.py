"""What AWS documents in two ways: the local KMS follows either reading, as it is told."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.policy_engine import KeyCase
from tests.integration.local_aws.world import (
    DENIED,
    DRY,
    HOME,
    PAIRS,
    PARTNER,
    World,
    code,
    policy,
    statement,
)

EMPTY: list[dict[str, Any]] = [{}, {"EncryptionContextEquals": {}}, {"EncryptionContextSubset": {}}]


def _encrypt(world: World, pairs: dict[str, str]) -> str:
    encrypt = world.role(world.partner).encrypt
    return code(encrypt, KeyId=world.key, Plaintext=b"p", EncryptionContext=pairs)


@pytest.mark.parametrize("constraints", EMPTY)
def test_empty_constraints_refused(world: World, constraints: dict[str, Any]) -> None:
    """By default a constraint without pairs is refused, and nothing is created."""
    assert (
        code(world.as_root().create_grant, **world.wanted(Constraints=constraints)) == "ValidationException"
    )
    assert world.cloud.grants(world.key) == []


@pytest.mark.parametrize(
    ("constraints", "without", "with_pairs"),
    [(EMPTY[0], "", ""), (EMPTY[1], "", DENIED), (EMPTY[2], "", "")],
)
def test_empty_constraints_accepted(
    world: World, constraints: dict[str, Any], without: str, with_pairs: str
) -> None:
    """In the other reading it is created, listed as given, and constrains to what it says."""
    world.cloud.kms.readings.accepts_empty_constraints = True
    given = world.wanted(Constraints=constraints)
    assert code(world.as_root().create_grant, **given, DryRun=True) == DRY
    world.as_root().create_grant(**given)
    (found,) = world.as_root().list_grants(KeyId=world.key)["Grants"]
    assert found["Constraints"] == constraints
    assert (_encrypt(world, {}), _encrypt(world, PAIRS)) == (without, with_pairs)


@pytest.mark.parametrize("constraints", EMPTY)
def test_empty_constraints_have_no_context_keys(world: World, constraints: dict[str, Any]) -> None:
    """A Deny where kms:EncryptionContextKeys is absent refuses them, and lets constraints with pairs pass."""
    world.cloud.kms.readings.accepts_empty_constraints = True
    without = {"Null": {"kms:EncryptionContextKeys": "true"}}
    create = statement("kms:CreateGrant")
    fenced = policy(create, statement("kms:CreateGrant", "Deny", Condition=without))
    world.cloud.put_role_policies(world.app, [fenced])
    client = world.role(world.app)
    assert code(client.create_grant, **world.wanted(Constraints=constraints)) == DENIED
    assert code(client.create_grant, **world.wanted(Constraints=None)) == DENIED
    assert code(client.create_grant, **world.wanted()) == ""
    world.cloud.put_role_policies(world.app, [policy(create)])
    assert code(client.create_grant, **world.wanted(Constraints=constraints)) == ""


def test_two_constraints_are_too_many_in_either_reading(world: World) -> None:
    """An empty constraint beside a filled one counts; one that is null was not sent."""
    for accepts in (False, True):
        world.cloud.kms.readings.accepts_empty_constraints = accepts
        both = {"EncryptionContextEquals": {}, "EncryptionContextSubset": PAIRS}
        assert code(world.as_root().create_grant, **world.wanted(Constraints=both)) == "ValidationException"


@pytest.mark.parametrize("kind", ["EncryptionContextEquals", "EncryptionContextSubset"])
def test_case_of_constraint_keys(world: World, kind: str) -> None:
    """By default a constraint's keys ignore case, in the other reading they do not; values never do."""
    world.grant(Constraints={kind: {"Tenant": "Acme"}})
    assert _encrypt(world, {"tenant": "Acme"}) == _encrypt(world, {"Tenant": "Acme"}) == ""
    assert _encrypt(world, {"Tenant": "acme"}) == DENIED
    world.cloud.kms.readings.constraint_keys = KeyCase.EXACT
    assert _encrypt(world, {"tenant": "Acme"}) == DENIED
    assert _encrypt(world, {"Tenant": "Acme"}) == ""


def test_grants_that_differ_by_case_only(world: World) -> None:
    """Of two grants that differ by the case of a key, each is found in either reading, and ends alone."""
    upper = world.grant(Constraints={"EncryptionContextEquals": {"TENANT": "a"}})
    lower = world.grant(Constraints={"EncryptionContextEquals": {"tenant": "a"}})
    world.cloud.kms.readings.constraint_keys = KeyCase.EXACT
    assert _encrypt(world, {"TENANT": "a"}) == _encrypt(world, {"tenant": "a"}) == ""
    world.as_root().revoke_grant(KeyId=world.key, GrantId=upper)
    assert (_encrypt(world, {"TENANT": "a"}), _encrypt(world, {"tenant": "a"})) == (DENIED, "")
    world.as_root().revoke_grant(KeyId=world.key, GrantId=lower)
    world.cloud.kms.readings.constraint_keys = KeyCase.IGNORED
    assert _encrypt(world, {"tenant": "a"}) == DENIED


def test_ciphertexts_are_exact(world: World) -> None:
    """A ciphertext opens with its own context only, whatever constraints ignore."""
    world.grant(Operations=["Encrypt", "Decrypt"], Constraints={"EncryptionContextEquals": {"a": "b"}})
    client = world.role(world.partner)
    sealed = client.encrypt(KeyId=world.key, Plaintext=b"p", EncryptionContext={"A": "b"})["CiphertextBlob"]
    assert code(client.decrypt, CiphertextBlob=sealed, EncryptionContext={"a": "b"}) != ""
    assert client.decrypt(CiphertextBlob=sealed, EncryptionContext={"A": "b"})["Plaintext"] == b"p"


def test_young_principals(world: World) -> None:
    """For its first minute a new principal may be listed by its id; its grant works, and it is no other."""
    world.cloud.kms.readings.ids_shown_for = timedelta(minutes=1)
    young = world.cloud.create_role("young", [], PARTNER)
    unique_id = world.cloud.directory.principals[young].unique_id
    world.now[0] += timedelta(seconds=59)
    world.grant(GranteePrincipal=young)
    session = f"arn:aws:sts::{PARTNER}:assumed-role/young/s"
    world.grant(GranteePrincipal=session, RetiringPrincipal=None)

    def listed() -> list[str]:
        return [each["GranteePrincipal"] for each in world.as_root().list_grants(KeyId=world.key)["Grants"]]

    assert listed() == [unique_id, unique_id]
    given = {"KeyId": world.key, "Plaintext": b"p", "EncryptionContext": PAIRS}
    assert code(world.role(young).encrypt, **given) == ""
    assert world.cloud.grants(world.key)[0]["RetiringPrincipal"] == unique_id_of(world, world.expiry)
    world.now[0] += timedelta(seconds=1)
    assert listed() == [young, session]
    assert world.cloud.grants(world.key)[0]["RetiringPrincipal"] == world.expiry
    world.cloud.delete_role(young)
    world.now[0] += timedelta(hours=1)
    assert listed() == [unique_id, unique_id]


def unique_id_of(world: World, arn: str) -> str:
    """A principal's unique id."""
    return world.cloud.directory.principals[arn].unique_id


def test_old_principals_and_accounts(world: World) -> None:
    """The switch touches no principal that is older, nor an account's root."""
    world.now[0] += timedelta(hours=1)
    world.cloud.kms.readings.ids_shown_for = timedelta(minutes=1)
    root = f"arn:aws:iam::{HOME}:root"
    world.grant()
    world.grant(GranteePrincipal=root)
    listed = [each["GranteePrincipal"] for each in world.cloud.grants(world.key)]
    assert listed == [world.partner, root]
