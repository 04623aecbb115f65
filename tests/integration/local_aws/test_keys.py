"""Keys: their policies, states, names and descriptions, as KMS has them."""

import json
from typing import Any

import pytest

from tests.integration.local_aws.world import (  # fmt: skip
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

MALFORMED = "MalformedPolicyDocumentException"
UNKNOWN = "1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    "given", [{}, {"KeySpec": "SYMMETRIC_DEFAULT"}, {"Tags": [{"TagKey": "a", "TagValue": "b"}]}]
)
def test_create_key(world: World, given: dict[str, Any]) -> None:
    """A key made without a policy gets the default one, and is described with all that KMS tells."""
    world.allow(world.app, "kms:CreateKey", "kms:TagResource", "kms:DescribeKey", "kms:GetKeyPolicy")
    kms = world.role(world.app)
    # The lockout check wants the creator to keep PutKeyPolicy.
    assert code(kms.create_key, **given) == MALFORMED
    world.allow(world.app, "kms:*")
    made = kms.create_key(**given)["KeyMetadata"]
    shown = kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]
    assert made == shown
    assert (shown["KeyUsage"], shown["KeySpec"]) == ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT")
    assert (shown["KeyState"], shown["CreationDate"], shown["AWSAccountId"]) == ("Enabled", START, HOME)
    assert json.loads(kms.get_key_policy(KeyId=made["KeyId"])["Policy"])["Id"] == "key-default-1"
    assert kms.list_key_policies(KeyId=made["KeyId"])["PolicyNames"] == ["default"]


def test_create_key_denied(world: World) -> None:
    """CreateKey, and the tags it brings, need an identity policy."""
    assert code(world.role(world.app).create_key) == DENIED
    world.allow(world.app, "kms:CreateKey", "kms:PutKeyPolicy")
    tags = [{"TagKey": "a", "TagValue": "b"}]
    assert code(world.role(world.app).create_key, Tags=tags) == DENIED
    assert code(world.role(world.app).create_key) == ""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"KeySpec": "HMAC_256"}, "ValidationException"),
        ({"KeySpec": "RSA_2048", "KeyUsage": "GENERATE_VERIFY_MAC"}, "ValidationException"),
        ({"KeySpec": "FANCY"}, "ValidationException"),
        ({"KeySpec": "ML_KEM_512"}, "UnsupportedOperationException"),
        ({"Origin": "EXTERNAL"}, "UnsupportedOperationException"),
        ({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, ""),
        ({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}, ""),
        ({"MultiRegion": True}, ""),
    ],
)
def test_create_key_kinds(world: World, given: dict[str, Any], expected: str) -> None:
    """KeySpec and KeyUsage must fit; what is not made here is refused, not pretended."""
    assert code(world.as_root().create_key, **given) == expected


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "{}",
        json.dumps(policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})),
        json.dumps(policy({"Effect": "Allow", "Action": "kms:*", "Principal": "*"})),
        json.dumps(policy(naming(root(), "kms:*"), {"Effect": "Allow", "Action": "kms:*"})),
        json.dumps(policy(naming(root(), "kms:*"), naming(f"arn:aws:iam::{HOME}:role/nobody", "kms:*"))),
        json.dumps(policy(naming(root(), "kms:*"), naming(f"arn:aws:iam::{PARTNER}:role/part*", "kms:*"))),
        json.dumps(policy(naming(root(PARTNER), "kms:*"))),
        json.dumps(policy(naming(root(), "kms:Describe*"))),
    ],
)
def test_put_policy_refused(world: World, text: str) -> None:
    """No JSON, no policy, an unknown principal, or one that would lock its caller out: not stored."""
    before = world.as_root().get_key_policy(KeyId=world.key)
    assert code(world.as_root().put_key_policy, KeyId=world.key, Policy=text) == MALFORMED
    assert world.as_root().get_key_policy(KeyId=world.key)["Policy"] == before["Policy"]
    assert code(world.as_root().create_key, Policy=text) == MALFORMED
    assert len(world.as_root().list_keys()["Keys"]) == 1


def test_put_policy(world: World) -> None:
    """A policy replaces the old one at once; the lockout check may be left out, the right to put it not."""
    put, new = (
        world.role(world.app).put_key_policy,
        policy(naming(world.app, ["kms:PutKeyPolicy", "kms:Get*"])),
    )
    given = {"KeyId": world.key, "Policy": json.dumps(new)}
    assert code(put, **given) == DENIED
    world.allow(world.app, "kms:PutKeyPolicy")
    assert code(put, **given, PolicyName="other") == "NotFoundException"
    assert code(put, **given) == ""
    world.allow(world.app)
    assert json.loads(world.role(world.app).get_key_policy(KeyId=world.key)["Policy"]) == new
    assert code(world.as_root().get_key_policy, KeyId=world.key) == DENIED
    nobody = json.dumps(policy(naming(root(PARTNER), "kms:*")))
    assert code(put, KeyId=world.key, Policy=nobody) == MALFORMED
    assert code(put, KeyId=world.key, Policy=nobody, BypassPolicyLockoutSafetyCheck=True) == ""
    assert code(put, **given) == DENIED


@pytest.mark.parametrize("left_out", ["Action", "Resource"])
def test_incomplete_statement(world: World, left_out: str) -> None:
    """A statement without Action or Resource is stored as it is; it neither allows nor denies."""
    whole = naming(world.app, "kms:Encrypt")
    part = {name: value for name, value in whole.items() if name != left_out}
    encrypt = world.role(world.app).encrypt
    for effect, complete, expected in (("Allow", [], DENIED), ("Deny", [whole], "")):
        stored = policy(naming(root(), "kms:*"), {**part, "Effect": effect}, *complete)
        world.as_root().put_key_policy(KeyId=world.key, Policy=json.dumps(stored))
        assert json.loads(world.as_root().get_key_policy(KeyId=world.key)["Policy"]) == stored
        assert code(encrypt, KeyId=world.key, Plaintext=b"p") == expected


def test_policy_size(world: World) -> None:
    """A key policy of more than 32 KB is refused."""
    long = policy(*[naming(root(), "kms:*", Sid=f"s{number:04}") for number in range(300)])
    put = world.as_root().put_key_policy
    assert code(put, KeyId=world.key, Policy=json.dumps(long)) == "LimitExceededException"
    short = policy(*long["Statement"][:200])
    assert code(put, KeyId=world.key, Policy=json.dumps(short)) == ""


def _crypto(kms: Any, key: str, blob: bytes) -> dict[str, str]:
    named = {"KeyId": key}
    return {
        "Encrypt": code(kms.encrypt, **named, Plaintext=b"p"),
        "Decrypt": code(kms.decrypt, CiphertextBlob=blob),
        "GenerateDataKey": code(kms.generate_data_key, **named, KeySpec="AES_256"),
        "ReEncrypt": code(kms.re_encrypt, CiphertextBlob=blob, DestinationKeyId=key),
        "DryRun": code(kms.encrypt, **named, Plaintext=b"p", DryRun=True),
        "EnableKeyRotation": code(kms.enable_key_rotation, **named),
    }


@pytest.mark.parametrize("state", ["Enabled", "Disabled", "PendingDeletion"])
def test_states(world: World, state: str) -> None:
    """A disabled key and one to be deleted do nothing but give up their grants and tell of themselves."""
    kms, ids = world.as_root(), [world.grant() for _ in range(3)]
    blob = kms.encrypt(KeyId=world.key, Plaintext=b"p")["CiphertextBlob"]
    if state == "Disabled":
        kms.disable_key(KeyId=world.key)
    elif state == "PendingDeletion":
        kms.schedule_key_deletion(KeyId=world.key, PendingWindowInDays=7)
    refused = {"Enabled": "", "Disabled": "DisabledException"}.get(state, "KMSInvalidStateException")
    expected = dict.fromkeys(_crypto(kms, world.key, blob), refused)
    assert _crypto(kms, world.key, blob) == expected | ({"DryRun": DRY} if state == "Enabled" else {})
    assert code(kms.create_grant, **world.wanted()) == refused
    assert code(kms.create_grant, **world.wanted(), DryRun=True) == (refused or DRY)
    encrypt = world.role(world.partner).encrypt
    assert code(encrypt, KeyId=world.key, Plaintext=b"p", EncryptionContext=PAIRS) == refused
    assert code(encrypt, KeyId=world.key, Plaintext=b"p") == DENIED
    kms.revoke_grant(KeyId=world.key, GrantId=ids[0])
    world.role(world.expiry).retire_grant(KeyId=world.key, GrantId=ids[1])
    assert ids[2] in {grant["GrantId"] for grant in kms.list_grants(KeyId=world.key)["Grants"]}
    assert kms.describe_key(KeyId=world.key)["KeyMetadata"]["KeyState"] == state
    kms.put_key_policy(KeyId=world.key, Policy=kms.get_key_policy(KeyId=world.key)["Policy"])
    tag = code(kms.tag_resource, KeyId=world.key, Tags=[{"TagKey": "a", "TagValue": "b"}])
    assert tag == ("KMSInvalidStateException" if state == "PendingDeletion" else "")


def test_states_change(world: World) -> None:
    """Disabling, enabling, scheduling and cancelling a deletion follow each other as KMS lets them."""
    kms, key = world.as_root(), {"KeyId": world.key}
    state = "KMSInvalidStateException"
    kms.disable_key(**key)
    assert kms.describe_key(**key)["KeyMetadata"]["Enabled"] is False
    kms.enable_key(**key)
    assert code(kms.cancel_key_deletion, **key) == state
    assert code(kms.schedule_key_deletion, **key, PendingWindowInDays=6) == "ValidationException"
    assert (kms.schedule_key_deletion(**key)["DeletionDate"] - START).days == 30
    assert (kms.describe_key(**key)["KeyMetadata"]["DeletionDate"] - START).days == 30
    assert code(kms.enable_key, **key) == code(kms.disable_key, **key) == state
    assert code(kms.schedule_key_deletion, **key) == state
    assert kms.cancel_key_deletion(**key)["KeyId"] == world.key
    assert kms.describe_key(**key)["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(**key)
    assert code(kms.encrypt, **key, Plaintext=b"p") == ""


@pytest.mark.parametrize(
    ("key_id", "expected"),
    [
        (UNKNOWN, "NotFoundException"),
        (f"arn:aws:kms:eu-central-1:{HOME}:key/{UNKNOWN}", "NotFoundException"),
        ("alias/nothing", "NotFoundException"),
        ("alias/aws/ebs", "NotFoundException"),
        ("not a key", "NotFoundException"),
        ("arn:aws:s3:::bucket", "InvalidArnException"),
        ("k" * 2049, "ValidationException"),
    ],
)
def test_unknown_key(world: World, key_id: str, expected: str) -> None:
    """A key that does not exist is not found, whatever is asked of it."""
    kms = world.as_root()
    assert code(kms.describe_key, KeyId=key_id) == expected
    assert code(kms.encrypt, KeyId=key_id, Plaintext=b"p") == expected
    for call in (kms.enable_key, kms.get_key_policy, kms.list_grants, kms.list_resource_tags):
        assert code(call, KeyId=key_id) == expected


def test_aliases(world: World) -> None:
    """An alias needs the right on itself and on its keys; a key answers to it once it is there."""
    create = world.role(world.app).create_alias
    given = {"AliasName": "alias/a", "TargetKeyId": world.key}
    assert code(create, **given) == DENIED
    alias = statement("kms:*Alias", Resource=f"arn:aws:kms:eu-central-1:{HOME}:alias/a")
    world.cloud.put_role_policies(world.app, [policy(alias)])
    assert code(create, **given) == DENIED
    world.cloud.put_role_policies(world.app, [policy(alias, statement("kms:*Alias", Resource=world.key))])
    assert code(create, **given) == ""
    assert code(create, **given) == "AlreadyExistsException"
    kms = world.as_root()
    assert kms.describe_key(KeyId="alias/a")["KeyMetadata"]["Arn"] == world.key
    other = world.cloud.create_key(policy(naming(root(), "kms:*")))
    move = {"AliasName": "alias/a", "TargetKeyId": other}
    assert code(world.role(world.app).update_alias, **move) == DENIED
    kms.update_alias(**move)
    assert [a["TargetKeyId"] for a in kms.list_aliases(KeyId=other)["Aliases"]] == [other.rpartition("/")[2]]
    assert kms.list_aliases(KeyId=world.key)["Aliases"] == []
    kms.delete_alias(AliasName="alias/a")
    assert code(kms.describe_key, KeyId="alias/a") == "NotFoundException"
    assert code(kms.create_alias, AliasName="alias/aws/a", TargetKeyId=other) == "NotAuthorizedException"
    assert code(kms.create_alias, AliasName="a", TargetKeyId=other) == "ValidationException"
    assert code(world.role(world.app).list_aliases) == code(world.role(world.app).list_keys) == DENIED


def test_tags_and_rotation(world: World) -> None:
    """What moto keeps of a key is reached by who may, within the key's account."""
    kms, key = world.as_root(), {"KeyId": world.key}
    kms.tag_resource(**key, Tags=[{"TagKey": "a", "TagValue": "b&Action=DeleteAlias"}])
    assert kms.list_resource_tags(**key)["Tags"] == [{"TagKey": "a", "TagValue": "b&Action=DeleteAlias"}]
    kms.untag_resource(**key, TagKeys=["a"])
    assert kms.list_resource_tags(**key)["Tags"] == []
    kms.enable_key_rotation(**key)
    assert kms.get_key_rotation_status(**key)["KeyRotationEnabled"]
    kms.update_key_description(**key, Description="new")
    assert kms.describe_key(**key)["KeyMetadata"]["Description"] == "new"
    assert code(world.role(world.app).enable_key_rotation, **key) == DENIED
    assert code(world.role(world.app).untag_resource, **key, TagKeys=["a"]) == DENIED
