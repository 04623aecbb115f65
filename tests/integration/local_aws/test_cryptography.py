"""The cryptographic operations: bound to their key and context, across accounts, with KMS's errors."""

from typing import Any

import pytest

from tests.integration.local_aws.world import (  # fmt: skip
    DENIED,
    DRY,
    HOME,
    PAIRS,
    PARTNER,
    World,
    code,
    naming,
    policy,
    root,
    statement,
)

UNREADABLE = "InvalidCiphertextException"


@pytest.fixture
def blob(world: World) -> bytes:
    """What was encrypted under the key, with a context."""
    made = world.as_root().encrypt(KeyId=world.key, Plaintext=b"p", EncryptionContext=PAIRS)
    sealed: bytes = made["CiphertextBlob"]
    return sealed


def test_encrypt_and_decrypt(world: World, blob: bytes) -> None:
    """A ciphertext opens with its context, by the key's every name or by none."""
    kms = world.as_root()
    kms.create_alias(AliasName="alias/a", TargetKeyId=world.key)
    bare = world.key.rpartition("/")[2]
    for name in ({}, {"KeyId": world.key}, {"KeyId": bare}, {"KeyId": "alias/a"}):
        opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=PAIRS, **name)
        assert (opened["Plaintext"], opened["KeyId"]) == (b"p", world.key)


@pytest.mark.parametrize("pairs", [{}, {"a": "c"}, {"A": "b"}, {"a": "b", "c": "d"}, {"ab": ""}, {"": "ab"}])
def test_another_context(world: World, blob: bytes, pairs: dict[str, str]) -> None:
    """Another context opens nothing, also where names and values run together the same."""
    assert code(world.as_root().decrypt, CiphertextBlob=blob, EncryptionContext=pairs) == UNREADABLE


@pytest.mark.parametrize(
    "bad", [b"x", b"x" * 100, b"\xff" * 60, b"1234abcd-12ab-34cd-56ef-1234567890ab" + b"x" * 40]
)
def test_no_ciphertext(world: World, bad: bytes) -> None:
    """What no key here made is no ciphertext."""
    kms = world.as_root()
    assert code(kms.decrypt, CiphertextBlob=bad) == UNREADABLE
    assert code(kms.decrypt, CiphertextBlob=bad, KeyId=world.key) == UNREADABLE
    assert code(kms.re_encrypt, CiphertextBlob=bad, DestinationKeyId=world.key) == UNREADABLE


def test_changed_ciphertext(world: World, blob: bytes) -> None:
    """A ciphertext of which one byte was changed does not open."""
    changed = blob[:-1] + bytes([blob[-1] ^ 1])
    assert code(world.as_root().decrypt, CiphertextBlob=changed, EncryptionContext=PAIRS) == UNREADABLE


def test_wrong_key(world: World, blob: bytes) -> None:
    """Naming another key than the one that encrypted is told, to who may use that one."""
    other = world.cloud.create_key(policy(naming(root(), "kms:*")))
    given = {"CiphertextBlob": blob, "EncryptionContext": PAIRS, "KeyId": other}
    assert code(world.as_root().decrypt, **given) == "IncorrectKeyException"
    assert code(world.role(world.app).decrypt, **given) == DENIED


def test_right_before_ciphertext(world: World, blob: bytes) -> None:
    """Who may not decrypt learns nothing of whether the context was right."""
    for pairs in (PAIRS, {"a": "c"}):
        assert code(world.role(world.app).decrypt, CiphertextBlob=blob, EncryptionContext=pairs) == DENIED


def test_dry_run(world: World, blob: bytes) -> None:
    """A dry run answers whether the call would go through, and does nothing."""
    kms, app = world.as_root(), world.role(world.app)
    encrypt = {"KeyId": world.key, "Plaintext": b"p"}
    data_key = {"KeyId": world.key, "KeySpec": "AES_256"}
    decrypt = {"CiphertextBlob": blob, "EncryptionContext": PAIRS}
    re_encrypt = {"CiphertextBlob": blob, "SourceEncryptionContext": PAIRS, "DestinationKeyId": world.key}
    for name, given in (
        ("encrypt", encrypt),
        ("decrypt", decrypt),
        ("generate_data_key", data_key),
        ("generate_data_key_without_plaintext", data_key),
        ("re_encrypt", re_encrypt),
    ):
        assert code(getattr(kms, name), **given, DryRun=True) == DRY
        assert code(getattr(app, name), **given, DryRun=True) == DENIED
    assert code(kms.decrypt, CiphertextBlob=blob, DryRun=True) == UNREADABLE


def test_data_keys(world: World) -> None:
    """A data key opens from its ciphertext; size or spec is needed, and not both."""
    kms = world.as_root()
    made = kms.generate_data_key(KeyId=world.key, KeySpec="AES_128", EncryptionContext=PAIRS)
    assert len(made["Plaintext"]) == 16
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=PAIRS)
    assert (opened["Plaintext"], made["KeyId"]) == (made["Plaintext"], world.key)
    sealed = kms.generate_data_key_without_plaintext(KeyId=world.key, NumberOfBytes=20)
    assert "Plaintext" not in sealed
    assert len(kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"])["Plaintext"]) == 20
    wrong: list[dict[str, Any]] = [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}, {"NumberOfBytes": 1025}]
    for given in [*wrong, {"KeySpec": "AES_512"}]:
        assert code(kms.generate_data_key, KeyId=world.key, **given) == "ValidationException"


def test_re_encrypt(world: World, blob: bytes) -> None:
    """ReEncrypt needs the right from the one key and to the other, each with its own context."""
    other = world.cloud.create_key(policy(naming(root(), "kms:*")))
    given = {
        "CiphertextBlob": blob,
        "SourceEncryptionContext": PAIRS,
        "DestinationKeyId": other,
        "DestinationEncryptionContext": {"c": "d"},
    }
    again = world.role(world.app).re_encrypt
    rights = [
        statement("kms:ReEncryptFrom", Resource=world.key),
        statement("kms:ReEncryptTo", Resource=other, Condition={"Bool": {"kms:ReEncryptOnSameKey": "false"}}),
    ]
    for right in rights:
        world.cloud.put_role_policies(world.app, [policy(right)])
        assert code(again, **given) == DENIED
    world.cloud.put_role_policies(world.app, [policy(*rights)])
    made = again(**given)
    assert (made["SourceKeyId"], made["KeyId"]) == (world.key, other)
    opened = world.as_root().decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"c": "d"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"p", other)
    assert code(again, **given | {"SourceEncryptionContext": {}}) == UNREADABLE
    assert code(again, **given | {"DestinationKeyId": world.key}) == DENIED


def test_grant_for_re_encrypt(world: World, blob: bytes) -> None:
    """A grant for ReEncryptTo encrypts what another key opened, within the agreed context."""
    world.grant(Operations=["ReEncryptTo"])
    own = world.cloud.create_key(policy(naming(root(PARTNER), "kms:*")), PARTNER)
    world.allow(world.partner, "kms:*")
    kms = world.role(world.partner)
    mine = kms.encrypt(KeyId=own, Plaintext=b"mine")["CiphertextBlob"]
    given = {"CiphertextBlob": mine, "DestinationKeyId": world.key}
    made = kms.re_encrypt(**given, DestinationEncryptionContext=PAIRS)["CiphertextBlob"]
    assert world.as_root().decrypt(CiphertextBlob=made, EncryptionContext=PAIRS)["Plaintext"] == b"mine"
    assert code(kms.re_encrypt, **given) == DENIED
    assert code(kms.decrypt, CiphertextBlob=blob, EncryptionContext=PAIRS) == DENIED


def test_across_accounts(world: World, blob: bytes) -> None:
    """A grantee of another account uses the key by its ARN, and the answers name the key's account."""
    operations = ["Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey"]
    world.grant(Operations=operations)
    kms, key = world.role(world.partner), {"KeyId": world.key}
    assert kms.encrypt(**key, Plaintext=b"p", EncryptionContext=PAIRS)["KeyId"] == world.key
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=PAIRS)["Plaintext"] == b"p"
    assert kms.generate_data_key(**key, KeySpec="AES_256", EncryptionContext=PAIRS)["KeyId"] == world.key
    assert kms.describe_key(**key)["KeyMetadata"]["AWSAccountId"] == HOME
    bare = world.key.rpartition("/")[2]
    assert code(kms.encrypt, KeyId=bare, Plaintext=b"p", EncryptionContext=PAIRS) == "NotFoundException"
    world.as_root().create_alias(AliasName="alias/a", TargetKeyId=world.key)
    assert code(kms.describe_key, KeyId="alias/a") == "NotFoundException"
    assert code(kms.describe_key, KeyId=f"arn:aws:kms:eu-central-1:{HOME}:alias/a") == ""


def test_other_kinds_of_keys(world: World) -> None:
    """Signing and HMAC keys do their own operations and no others, for who may."""
    kms = world.as_root()
    signer = {"KeyId": kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]}
    mac = {"KeyId": kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]}
    signing = {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(**signer, **signing)["Signature"]
    assert kms.verify(**signer, **signing, Signature=signature)["SignatureValid"]
    assert kms.get_public_key(**signer)["KeyUsage"] == "SIGN_VERIFY"
    made = kms.generate_mac(**mac, Message=b"m", MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert kms.verify_mac(**mac, Message=b"m", MacAlgorithm="HMAC_SHA_256", Mac=made)["MacValid"]
    assert code(kms.encrypt, **signer, Plaintext=b"p") == "InvalidKeyUsageException"
    assert code(kms.generate_data_key, **mac, KeySpec="AES_256") == "InvalidKeyUsageException"
    assert code(kms.encrypt, KeyId=world.key, Plaintext=b"p", EncryptionAlgorithm="RSAES_OAEP_SHA_1") != ""
    grant = world.wanted(Operations=["Sign"], Constraints=None, **signer)
    assert code(kms.create_grant, **grant | {"Constraints": {"EncryptionContextEquals": PAIRS}}) != ""
    kms.create_grant(**grant)
    partner = world.role(world.partner)
    assert code(partner.sign, **signer, **signing) == ""
    assert code(partner.sign, **signer, **signing, DryRun=True) == DRY
    assert code(partner.verify, **signer, **signing, Signature=signature) == DENIED


def test_what_this_kms_lacks(world: World) -> None:
    """What is not made here is said to be so, after the caller's right was asked for."""
    pair = {"KeyId": world.key, "KeyPairSpec": "RSA_2048"}
    assert code(world.as_root().generate_data_key_pair, **pair) == "UnsupportedOperationException"
    assert code(world.role(world.app).generate_data_key_pair, **pair) == DENIED
    assert code(world.as_root().describe_custom_key_stores) == "UnsupportedOperationException"
    assert len(world.as_root().generate_random(NumberOfBytes=5)["Plaintext"]) == 5
    assert code(world.as_root().generate_random) == "ValidationException"
    assert code(world.role(world.app).generate_random, NumberOfBytes=5) == DENIED
