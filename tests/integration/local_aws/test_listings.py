"""Grants listed, paged, limited, and few of many decided by."""

from typing import Any

import pytest

from tests.integration.local_aws.world import (
    DENIED,
    HOME,
    PARTNER,
    START,
    World,
    code,
    naming,
    policy,
    root,
    statement,
)
from tests.local_aws.kms import grants


def test_list_filters(world: World) -> None:
    """ListGrants finds by id and by grantee, a session being another than its role."""
    mine, other = world.grant(), world.grant(GranteePrincipal=world.app)
    find = world.as_root().list_grants
    assert [g["GrantId"] for g in find(KeyId=world.key, GrantId=mine)["Grants"]] == [mine]
    by_grantee = find(KeyId=world.key, GranteePrincipal=world.app)["Grants"]
    assert [g["GrantId"] for g in by_grantee] == [other]
    session = f"arn:aws:sts::{PARTNER}:assumed-role/partner/s"
    assert find(KeyId=world.key, GranteePrincipal=session)["Grants"] == []
    assert find(KeyId=world.key, GranteePrincipal=world.app, GrantId=mine)["Grants"] == []
    assert find(KeyId=world.key, GrantId="0" * 64)["Grants"] == []
    assert code(find, KeyId=world.key, GrantId="x") == "InvalidGrantIdException"
    assert code(world.role(world.app).list_grants, KeyId=world.key) == DENIED


def test_pages(world: World) -> None:
    """250 grants come in pages without a gap; a marker fits its own listing only."""
    ids = [world.grant() for _ in range(250)]
    kms = world.as_root()
    pages = list(
        kms.get_paginator("list_grants").paginate(KeyId=world.key, PaginationConfig={"PageSize": 100})
    )
    assert [len(page["Grants"]) for page in pages] == [100, 100, 50]
    assert [grant["GrantId"] for page in pages for grant in page["Grants"]] == ids
    first = kms.list_grants(KeyId=world.key)
    assert (len(first["Grants"]), first["Truncated"]) == (50, True)
    for grant_id in ids[:60]:
        kms.revoke_grant(KeyId=world.key, GrantId=grant_id)
    following = kms.list_grants(KeyId=world.key, Marker=first["NextMarker"], Limit=100)["Grants"]
    assert [grant["GrantId"] for grant in following] == ids[60:160]
    other = world.cloud.create_key(policy(naming(root(), "kms:*")))
    bound = [{"KeyId": other}, {"KeyId": world.key, "GranteePrincipal": world.partner}]
    for elsewhere in bound:
        assert code(kms.list_grants, **elsewhere, Marker=first["NextMarker"]) == "InvalidMarkerException"
    for bogus in ("50", "!", "ä" * 4):
        assert code(kms.list_grants, KeyId=world.key, Marker=bogus) == "InvalidMarkerException"
    assert code(kms.list_grants, KeyId=world.key, Limit=101) == "ValidationException"


def test_list_retirable(world: World) -> None:
    """ListRetirableGrants reaches over keys and accounts, for principals of the caller's account."""
    foreign = world.cloud.create_key(policy(naming(root(), "kms:CreateGrant")), PARTNER)
    world.allow(world.app, "kms:CreateGrant")
    made = world.role(world.app).create_grant(**world.wanted(KeyId=foreign))["GrantId"]
    ids = [world.grant(), made, world.grant()]
    world.grant(RetiringPrincipal=world.app)
    find = world.role(world.expiry).list_retirable_grants
    assert code(find, RetiringPrincipal=world.expiry) == DENIED
    for resource, answer in ((world.app, DENIED), (world.expiry, "")):
        own = statement("kms:ListRetirableGrants", Resource=resource)
        world.cloud.put_role_policies(world.expiry, [policy(own)])
        assert code(find, RetiringPrincipal=world.expiry) == answer
    world.allow(world.expiry, "kms:ListRetirableGrants")
    first = find(RetiringPrincipal=world.expiry, Limit=2)
    rest = find(RetiringPrincipal=world.expiry, Marker=first["NextMarker"])
    found = first["Grants"] + rest["Grants"]
    assert {g["GrantId"] for g in found} == set(ids)
    assert {g["KeyId"] for g in found} == {world.key, foreign}
    assert not rest["Truncated"]
    assert code(find, RetiringPrincipal=world.partner) == DENIED
    assert code(find, RetiringPrincipal=f"arn:aws:iam::{HOME}:role/nobody") == "InvalidArnException"


def test_retirable_grants_of_strangers(world: World) -> None:
    """Whoever names our role on a key of its own has its grant listed to us, under its own account."""
    stranger = world.cloud.create_role("stranger", [], PARTNER)
    theirs = world.cloud.create_key(policy(naming(root(PARTNER), "kms:*")), PARTNER)
    world.allow(stranger, "kms:CreateGrant")
    world.role(stranger).create_grant(**world.wanted(KeyId=theirs))
    world.allow(world.expiry, "kms:ListRetirableGrants")
    (found,) = world.role(world.expiry).list_retirable_grants(RetiringPrincipal=world.expiry)["Grants"]
    assert (found["KeyId"], found["IssuingAccount"]) == (theirs, root(PARTNER))
    assert world.as_root().list_grants(KeyId=world.key)["Grants"] == []


def test_filters_of_services(world: World) -> None:
    """One of the two kinds of principals is needed or allowed; a service's is for services alone."""
    find, service = world.as_root().list_retirable_grants, "rds.eu-central-1.amazonaws.com"
    assert code(find) == "ValidationException"
    both = {"RetiringPrincipal": world.expiry, "RetiringServicePrincipal": service}
    assert code(find, **both) == "ValidationException"
    assert code(find, RetiringServicePrincipal=service) == DENIED
    listed = world.as_root().list_grants
    of_key = {"KeyId": world.key}
    both = {"GranteePrincipal": world.partner, "GranteeServicePrincipal": service}
    assert code(listed, **of_key, **both) == "ValidationException"
    assert code(listed, **of_key, GranteeServicePrincipal=service) == DENIED
    assert code(listed, **of_key, GranteePrincipal=world.partner) == ""


def test_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the key's limit a new grant is refused, a repeated one is not, and an end makes room."""
    monkeypatch.setattr(grants, "LIMIT", 3)
    ids = [world.grant(Name=f"n{number}") for number in range(3)]
    create = world.as_root().create_grant
    assert code(create, **world.wanted()) == "LimitExceededException"
    assert code(create, **world.wanted(), DryRun=True) == "LimitExceededException"
    assert create(**world.wanted(Name="n1"))["GrantId"] == ids[1]
    world.as_root().revoke_grant(KeyId=world.key, GrantId=ids[0])
    assert code(create, **world.wanted()) == ""


def test_few_of_many_are_decided_by(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of thousands of grants, to one grantee or to others, the engine is handed those that can decide."""
    key, kms = world.cloud.kms.keys[world.key], world.cloud.kms.access.grants
    ids = {role: world.cloud.directory.resolve(role) or "" for role in (world.partner, world.app)}
    for number in range(5_000):
        role = world.partner if number % 2 else world.app
        given = world.wanted(GranteePrincipal=role, RetiringPrincipal=None, Name=f"n{number}")
        given["Constraints"] = {"EncryptionContextSubset": {"n": str(number), "a": "b"}}
        kms.create(key.grants, given, (ids[role], None), HOME, START)
    handed: list[int] = []
    decide = world.cloud.authority.decide_kms

    def watched(call: Any, caller: Any, key_policy: Any, found: list[Any], *rest: Any) -> Any:
        handed.append(len(found))
        return decide(call, caller, key_policy, found, *rest)

    monkeypatch.setattr(world.cloud.authority, "decide_kms", watched)
    encrypt = world.role(world.partner).encrypt
    assert code(encrypt, KeyId=world.key, Plaintext=b"p", EncryptionContext={"n": "777", "a": "b"}) == ""
    assert code(encrypt, KeyId=world.key, Plaintext=b"p", EncryptionContext={"n": "778", "a": "b"}) == DENIED
    assert handed == [1, 0]
