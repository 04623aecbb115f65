"""Keys: their policies, states, names and descriptions, as KMS has them."""

import json
import re
from typing import Any

import pytest

from tests.integration.local_aws.world import (
    DENIED,
    DRY,
    HOME,
    PAIRS,
    START,
    World,
    code,
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
        ({"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"}, ""),
        ({"KeySpec": "RSA_2048", "KeyUsage": "KEY_AGREEMENT"}, "ValidationException"),
        ({"KeySpec": "RSA_2048", "CustomerMasterKeySpec": "RSA_2048"}, "ValidationException"),
        ({"CustomerMasterKeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, ""),
        ({"MultiRegion": True}, ""),
    ],
)
def test_create_key_kinds(world: World, given: dict[str, Any], expected: str) -> None:
    """KeySpec and KeyUsage must fit; what is not made here is refused, not pretended."""
    assert code(world.as_root().create_key, **given) == expected


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


def test_multi_region_key(world: World) -> None:
    """A multi-Region key has an id of its form, is its own primary, and encrypts."""
    kms = world.as_root()
    made = kms.create_key(MultiRegion=True)["KeyMetadata"]
    assert re.fullmatch("mrk-[0-9a-f]{32}", made["KeyId"])
    primary = {"Arn": made["Arn"], "Region": "eu-central-1"}
    shown = {"MultiRegionKeyType": "PRIMARY", "PrimaryKey": primary, "ReplicaKeys": []}
    assert made["MultiRegionConfiguration"] == shown
    sealed = kms.encrypt(KeyId=made["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"p"
