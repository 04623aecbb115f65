"""What the local KMS tells of a key's last use (GetKeyLastUsage), and to whom."""

from datetime import timedelta

import pytest

from tests.integration.local_aws.world import (
    DENIED,
    DRY,
    PAIRS,
    PARTNER,
    START,
    World,
    code,
    naming,
    policy,
    root,
)


def test_a_new_key(world: World) -> None:
    """A key that was never used says so by an empty element, with when it was made."""
    found = world.as_root().get_key_last_usage(KeyId=world.key)
    assert found["KeyLastUsage"] == {}
    assert found["TrackingStartDate"] == found["KeyCreationDate"] == START
    assert found["KeyId"] == world.key.rpartition("/")[2]


def test_the_last_success_counts(world: World) -> None:
    """The last successful operation is told with its time and event; refusals and dry runs are none."""
    kms = world.as_root()
    world.now[0] += timedelta(minutes=1)
    kms.encrypt(KeyId=world.key, Plaintext=b"p", EncryptionContext=PAIRS)
    first = kms.get_key_last_usage(KeyId=world.key)["KeyLastUsage"]
    assert (first["Operation"], first["Timestamp"]) == ("Encrypt", START + timedelta(minutes=1))
    world.now[0] += timedelta(minutes=1)
    assert code(kms.generate_data_key, KeyId=world.key, KeySpec="AES_256", DryRun=True) == DRY
    assert code(world.role(world.app).encrypt, KeyId=world.key, Plaintext=b"p") == DENIED
    kms.describe_key(KeyId=world.key)
    assert kms.get_key_last_usage(KeyId=world.key)["KeyLastUsage"] == first
    kms.generate_data_key(KeyId=world.key, KeySpec="AES_256")
    last = kms.get_key_last_usage(KeyId=world.key)["KeyLastUsage"]
    assert last["Operation"] == "GenerateDataKey"
    assert last["CloudTrailEventId"] != first["CloudTrailEventId"]


def test_re_encrypt_uses_two_keys(world: World) -> None:
    """Both keys of a ReEncrypt were used by it."""
    kms, other = world.as_root(), world.cloud.create_key(policy(naming(root(), "kms:*")))
    blob = kms.encrypt(KeyId=world.key, Plaintext=b"p")["CiphertextBlob"]
    kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other)
    operations = [
        kms.get_key_last_usage(KeyId=key)["KeyLastUsage"]["Operation"] for key in (world.key, other)
    ]
    assert operations == ["ReEncrypt", "ReEncrypt"]


def test_who_is_told(world: World) -> None:
    """Whoever has the right in the key's own account is told; another account never, whatever allows it."""
    app = world.role(world.app)
    assert code(app.get_key_last_usage, KeyId=world.key) == DENIED
    world.allow(world.app, "kms:GetKeyLastUsage")
    assert code(app.get_key_last_usage, KeyId=world.key) == ""
    world.cloud.put_key_policy(world.key, policy(naming([root(), root(PARTNER)], "kms:*")))
    world.allow(world.partner, "kms:*")
    assert code(world.role(world.partner).get_key_last_usage, KeyId=world.key) == DENIED


@pytest.mark.parametrize("name", ["alias/named", "nobody-s-key"])
def test_keys_are_named_by_id_or_arn(world: World, name: str) -> None:
    """An alias is no name for it, nor is what names no key."""
    world.as_root().create_alias(AliasName="alias/named", TargetKeyId=world.key)
    assert code(world.as_root().get_key_last_usage, KeyId=name) == "NotFoundException"
