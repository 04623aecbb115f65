"""Grants as KMS has them: who creates and ends them, what is refused, repeated, listed and paged."""

from typing import Any

import pytest

from tests.integration.local_aws.world import (
    DENIED,
    DRY,
    HOME,
    PAIRS,
    PARTNER,
    START,
    World,
    code,
    naming,
    policy,
    root,
    statement,
)

SERVICE = "rds.eu-central-1.amazonaws.com"
SOURCE = f"arn:aws:rds:eu-central-1:{HOME}:db:orders"
TO_A_SERVICE: dict[str, Any] = {
    "GranteePrincipal": None,
    "GranteeServicePrincipal": SERVICE,
    "Constraints": {"SourceArn": SOURCE},
}
MANY = {f"k{number}": "v" for number in range(9)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"GranteePrincipal": f"arn:aws:iam::{PARTNER}:role/nobody"}, "InvalidArnException"),
        ({"GranteePrincipal": f"arn:aws:iam::{PARTNER}:role/path/partner"}, "InvalidArnException"),
        ({"GranteePrincipal": f"arn:aws:iam::{PARTNER}:role/*"}, "ValidationException"),
        ({"GranteePrincipal": PARTNER}, "InvalidArnException"),
        ({"GranteePrincipal": "lambda.amazonaws.com"}, "InvalidArnException"),
        ({"GranteePrincipal": None}, "ValidationException"),
        ({"RetiringPrincipal": f"arn:aws:iam::{HOME}:role/nobody"}, "InvalidArnException"),
        ({"Operations": []}, "ValidationException"),
        ({"Operations": ["Fly"]}, "ValidationException"),
        ({"Operations": ["Sign"]}, "ValidationException"),
        ({"Operations": ["CreateGrant"]}, "ValidationException"),
        ({"GranteeServicePrincipal": SERVICE}, "ValidationException"),
        (TO_A_SERVICE | {"Constraints": {"EncryptionContextEquals": PAIRS}}, "ValidationException"),
        (TO_A_SERVICE | {"RetiringPrincipal": None}, "ValidationException"),
        (TO_A_SERVICE | {"RetiringServicePrincipal": SERVICE}, "ValidationException"),
        ({"Constraints": {"SourceArn": SOURCE, "EncryptionContextEquals": PAIRS}}, "ValidationException"),
        ({"Constraints": {"SourceArn": "arn:aws:s3:::some-bucket"}}, "ValidationException"),
        ({"Constraints": {}}, "ValidationException"),
        ({"Constraints": {"EncryptionContextEquals": {}}}, "ValidationException"),
        ({"Constraints": {"EncryptionContextEquals": MANY}}, "ValidationException"),
        ({"Constraints": {"EncryptionContextEquals": {"a": "v" * 385}}}, "ValidationException"),
        (
            {"Constraints": {"EncryptionContextEquals": PAIRS, "EncryptionContextSubset": PAIRS}},
            "ValidationException",
        ),
        ({"Name": "a b"}, "ValidationException"),
        ({"Name": "n" * 257}, "ValidationException"),
        ({"GrantTokens": ["bogus"]}, "InvalidGrantTokenException"),
        ({"GrantTokens": ["t"] * 11}, "ValidationException"),
        ({"KeyId": "alias/data"}, "NotFoundException"),
        ({"KeyId": f"arn:aws:kms:eu-central-1:{HOME}:alias/data"}, "InvalidArnException"),
        ({"KeyId": "arn:aws:kms"}, "InvalidArnException"),
        ({"KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"}, "NotFoundException"),
        ({"KeyId": f"arn:aws:kms:us-west-2:{HOME}:key/1"}, "NotFoundException"),
        ({"DryRun": True}, DRY),
        ({"DryRun": True, "Operations": ["Sign"]}, "ValidationException"),
    ],
)
def test_create_refused(world: World, changes: dict[str, Any], expected: str) -> None:
    """What KMS does not take is refused with KMS's code, and nothing is created."""
    world.as_root().create_alias(AliasName="alias/data", TargetKeyId=world.key)
    assert code(world.as_root().create_grant, **world.wanted(**changes)) == expected
    assert world.cloud.grants(world.key) == []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"RetiringPrincipal": None, "Constraints": None},
        {"GranteePrincipal": f"arn:aws:sts::{PARTNER}:assumed-role/partner/s"},
        {"GranteePrincipal": root(PARTNER)},
        {"Operations": ["Encrypt", "Decrypt", "ReEncryptTo", "DescribeKey", "CreateGrant", "RetireGrant"]},
        {"Constraints": {"EncryptionContextSubset": {f"k{number}": "v" * 384 for number in range(8)}}},
        {"Name": "grant-broker/x:1_2-3"},
        {"Constraints": {"SourceArn": SOURCE}},
        {"RetiringPrincipal": None, "RetiringServicePrincipal": SERVICE},
        TO_A_SERVICE,
        TO_A_SERVICE | {"RetiringPrincipal": None, "RetiringServicePrincipal": SERVICE},
    ],
)
def test_create(world: World, changes: dict[str, Any]) -> None:
    """What KMS takes is listed as it was given, with id, token, creation and issuing account."""
    wanted = world.wanted(**changes)
    made = world.as_root().create_grant(**wanted)
    (found,) = world.as_root().list_grants(KeyId=world.key)["Grants"]
    assert found.items() >= wanted.items()
    assert len(found["GrantId"]) == 64
    assert int(found["GrantId"], 16)
    assert made["GrantId"] == found["GrantId"]
    assert made["GrantToken"]
    assert (found["IssuingAccount"], found["CreationDate"]) == (root(), START)


def test_grant_to_a_service_helps_nobody_else(world: World) -> None:
    """A service's grant is listed with its SourceArn; users and roles get nothing by it, nor end it."""
    world.grant(**TO_A_SERVICE)
    by_source = world.grant(Constraints={"SourceArn": SOURCE}, Operations=["Encrypt", "DescribeKey"])
    client = world.role(world.partner)
    assert code(client.encrypt, KeyId=world.key, Plaintext=b"p") == DENIED
    assert code(client.describe_key, KeyId=world.key) == DENIED
    world.grant(Operations=["DescribeKey"])
    assert code(client.describe_key, KeyId=world.key) == ""
    listed = world.as_root().list_grants(KeyId=world.key)["Grants"]
    assert (listed[0]["GranteeServicePrincipal"], listed[0]["Constraints"]) == (
        SERVICE,
        {"SourceArn": SOURCE},
    )
    assert "GranteePrincipal" not in listed[0]
    assert code(client.retire_grant, KeyId=world.key, GrantId=listed[0]["GrantId"]) == DENIED
    world.as_root().revoke_grant(KeyId=world.key, GrantId=by_source)


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"kms:GranteeServicePrincipal": SERVICE}}, True),
        ({"StringEquals": {"kms:GranteeServicePrincipal": "ec2.amazonaws.com"}}, False),
        ({"StringEquals": {"kms:RetiringServicePrincipal": SERVICE}}, True),
        ({"ArnEquals": {"kms:GrantConstraintSourceArn": SOURCE}}, True),
        ({"ArnEquals": {"kms:GrantConstraintSourceArn": SOURCE + "2"}}, False),
        ({"StringEquals": {"kms:GrantConstraintType": "SourceArn"}}, True),
        ({"Null": {"kms:GranteePrincipal": "true", "kms:RetiringPrincipal": "true"}}, True),
        ({"Null": {"kms:EncryptionContextKeys": "false"}}, False),
    ],
)
def test_fences_of_grants_to_services(world: World, condition: dict[str, Any], allowed: bool) -> None:  # noqa: FBT001
    """Conditions on CreateGrant see the service that gets and retires, and the source."""
    allow = statement("kms:CreateGrant", Condition=condition)
    world.cloud.put_role_policies(world.app, [policy(allow)])
    given = TO_A_SERVICE | {"RetiringPrincipal": None, "RetiringServicePrincipal": SERVICE}
    create = world.role(world.app).create_grant
    assert code(create, **world.wanted(**given)) == ("" if allowed else DENIED)


def test_create_takes_bare_id(world: World) -> None:
    """A caller of the key's account may name it by its id alone; one of another account may not."""
    assert world.grant(KeyId=world.key.rpartition("/")[2])
    world.cloud.put_key_policy(world.key, policy(naming(root(PARTNER), "kms:*")))
    world.allow(world.partner, "kms:ListGrants")
    client = world.role(world.partner)
    assert code(client.list_grants, KeyId=world.key.rpartition("/")[2]) == "NotFoundException"
    assert len(client.list_grants(KeyId=world.key)["Grants"]) == 1


def test_name_repeats(world: World) -> None:
    """The same Name with the same parameters is the same grant with another token; else it is another."""
    create = world.as_root().create_grant
    first, again = create(**world.wanted(Name="n")), create(**world.wanted(Name="n"))
    assert first["GrantId"] == again["GrantId"]
    assert first["GrantToken"] != again["GrantToken"]
    others: list[dict[str, object]] = [
        {"Operations": ["Decrypt"]},
        {"Constraints": None},
        {"RetiringPrincipal": None},
        {"Name": "m"},
    ]
    ids = {create(**world.wanted(**{"Name": "n", **changes}))["GrantId"] for changes in others}
    assert len(ids | {first["GrantId"]}) == 5
    assert create(**world.wanted())["GrantId"] != create(**world.wanted())["GrantId"]
    world.as_root().revoke_grant(KeyId=world.key, GrantId=first["GrantId"])
    assert create(**world.wanted(Name="n"))["GrantId"] != first["GrantId"]


def test_fences_of_create(world: World) -> None:
    """Conditions on CreateGrant see operations, grantee, retiring principal and constraint."""
    allow = statement(
        "kms:CreateGrant",
        Condition={
            "StringEquals": {
                "kms:GrantConstraintType": "EncryptionContextEquals",
                "kms:RetiringPrincipal": world.expiry,
                "kms:EncryptionContext:a": "b",
            },
            "StringLike": {"kms:GranteePrincipal": f"arn:aws:iam::{PARTNER}:role/*"},
            "ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "DescribeKey"]},
            "Bool": {"kms:GrantIsForAWSResource": "false"},
        },
    )
    world.cloud.put_role_policies(world.app, [policy(allow)])
    create = world.role(world.app).create_grant
    assert code(create, **world.wanted(Operations=["Encrypt", "DescribeKey"])) == ""
    refused: list[dict[str, Any]] = [
        {"Operations": ["Encrypt", "Decrypt"]},
        {"GranteePrincipal": world.app},
        {"GranteePrincipal": root(PARTNER)},
        {"RetiringPrincipal": world.app},
        {"RetiringPrincipal": None},
        {"Constraints": None},
        {"Constraints": {"EncryptionContextSubset": PAIRS}},
        {"Constraints": {"EncryptionContextEquals": {"a": "c"}}},
    ]
    for changes in refused:
        assert code(create, **world.wanted(**changes)) == DENIED
        assert code(create, **world.wanted(**changes), DryRun=True) == DENIED
    assert len(world.cloud.grants(world.key)) == 1


def test_passed_on(world: World) -> None:
    """A grantee that may create grants passes on no more than it was given, under no weaker constraint."""
    world.grant(Operations=["Encrypt", "CreateGrant"])
    other = world.cloud.create_role("other", [], PARTNER)
    create = world.role(world.partner).create_grant
    assert code(create, **world.wanted(GranteePrincipal=other)) == ""
    assert code(create, **world.wanted(GranteePrincipal=other, Operations=["Decrypt"])) == DENIED
    assert code(create, **world.wanted(GranteePrincipal=other, Constraints=None)) == DENIED


def test_retire(world: World) -> None:
    """The retiring principal retires without any policy, by key ARN and id; nobody else does."""
    grant_id = world.grant()
    ended = {"KeyId": world.key, "GrantId": grant_id}
    for role in (world.app, world.partner):
        world.allow(role, "kms:RetireGrant")
    assert code(world.role(world.partner).retire_grant, **ended) == DENIED
    assert code(world.role(world.expiry).retire_grant, **ended, DryRun=True) == DRY
    bare = {"KeyId": world.key.rpartition("/")[2], "GrantId": grant_id}
    assert code(world.role(world.expiry).retire_grant, **bare) == "InvalidArnException"
    assert len(world.cloud.grants(world.key)) == 1
    assert code(world.role(world.expiry).retire_grant, **ended) == ""
    assert code(world.role(world.expiry).retire_grant, **ended) == "NotFoundException"


def test_retire_denied_by_identity_policy(world: World) -> None:
    """A Deny in the retiring principal's own policies wins."""
    ended = {"KeyId": world.key, "GrantId": world.grant()}
    world.cloud.put_role_policies(world.expiry, [policy(statement("kms:RetireGrant", "Deny"))])
    assert code(world.role(world.expiry).retire_grant, **ended) == DENIED


def test_retire_by_account_and_grantee(world: World) -> None:
    """The account that created a grant retires it through IAM, a grantee where RetireGrant was given."""
    first, second = world.grant(), world.grant(Operations=["Encrypt", "RetireGrant"])
    assert code(world.role(world.app).retire_grant, KeyId=world.key, GrantId=first) == DENIED
    world.allow(world.app, "kms:RetireGrant")
    assert code(world.role(world.app).retire_grant, KeyId=world.key, GrantId=first) == ""
    assert code(world.role(world.partner).retire_grant, KeyId=world.key, GrantId=second) == ""


def test_retire_by_token(world: World) -> None:
    """A grant token names the grant; a made-up one nothing, an ended grant's nothing any more."""
    token = world.as_root().create_grant(**world.wanted())["GrantToken"]
    retire = world.role(world.expiry).retire_grant
    assert code(retire, GrantToken="bogus") == "InvalidGrantTokenException"
    assert code(world.role(world.partner).retire_grant, GrantToken=token) == DENIED
    assert code(retire, GrantToken=token, KeyId=world.key) == "ValidationException"
    assert code(retire) == "ValidationException"
    assert code(retire, GrantToken=token) == ""
    assert code(retire, GrantToken=token) == "NotFoundException"
    encrypt = world.role(world.partner).encrypt
    given = {"KeyId": world.key, "Plaintext": b"p", "EncryptionContext": PAIRS, "GrantTokens": [token]}
    assert code(encrypt, **given) == DENIED


def test_recreated_retiring_principal(world: World) -> None:
    """A retiring principal that was recreated retires nothing of its predecessor's."""
    ended = {"KeyId": world.key, "GrantId": world.grant()}
    world.cloud.delete_role(world.expiry)
    world.cloud.create_role("expiry", [])
    assert code(world.role(world.expiry).retire_grant, **ended) == DENIED
    assert world.cloud.grants(world.key)[0]["RetiringPrincipal"].startswith("AROA")


def test_revoke(world: World) -> None:
    """RevokeGrant takes a policy's leave; neither grantee nor retiring principal has it of themselves."""
    ended = {"KeyId": world.key, "GrantId": world.grant(Operations=["Encrypt", "RetireGrant"])}
    for role in (world.app, world.partner, world.expiry):
        assert code(world.role(role).revoke_grant, **ended) == DENIED
    world.allow(world.app, "kms:RevokeGrant")
    revoke = world.role(world.app).revoke_grant
    assert code(revoke, **ended, DryRun=True) == DRY
    assert code(revoke, KeyId=world.key, GrantId="x") == "InvalidGrantIdException"
    assert code(revoke, KeyId=world.key, GrantId="0" * 64) == "NotFoundException"
    assert code(revoke, **ended) == ""
    assert code(revoke, **ended) == "NotFoundException"
