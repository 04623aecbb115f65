"""The cryptographic operations: bound to their key and context, across accounts, with KMS's errors."""

import pytest

from tests.integration.local_aws.world import (
    DENIED,
    DRY,
    HOME,
    PAIRS,
    PARTNER,
    World,
    code,
    naming,
    policy,
    refusal,
    root,
    statement,
)

NULL = "Value null at '{}' failed to satisfy constraint: Member must not be null"
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


def test_words(world: World, blob: bytes) -> None:
    """Errors say what KMS says, and of a ciphertext that does not open nothing."""
    kms, key = world.as_root(), {"KeyId": world.key}
    unchecked = world.unchecked(world.cloud.root())
    assert refusal(kms.decrypt, CiphertextBlob=blob) == (UNREADABLE, "")
    dry = "The request would have succeeded, but the DryRun option is set."
    assert refusal(kms.encrypt, **key, Plaintext=b"p", DryRun=True) == (DRY, dry)
    broken = "1 validation error detected: {} failed to satisfy constraint: Member must have {}"
    for call, given, words in (
        (kms.generate_random, {}, "NumberOfBytes is required."),
        (
            unchecked.generate_random,
            {"NumberOfBytes": 0},
            broken.format("Value '0' at 'numberOfBytes'", "value greater than or equal to 1"),
        ),
        (
            kms.generate_random,
            {"NumberOfBytes": 1025},
            broken.format("Value '1025' at 'numberOfBytes'", "value less than or equal to 1024"),
        ),
        (
            kms.encrypt,
            {**key, "Plaintext": b"p" * 4097},
            broken.format("Value at 'plaintext'", "length less than or equal to 4096"),
        ),
        (
            unchecked.encrypt,
            {},
            f"2 validation errors detected: {NULL.format('keyId')}; {NULL.format('plaintext')}",
        ),
        (
            kms.decrypt,
            key,
            f"1 validation error detected: {NULL.format('ciphertextBlob')}",
        ),
    ):
        assert refusal(call, **given) == ("ValidationException", words)


def test_keys_that_cannot_decrypt(world: World, blob: bytes) -> None:
    """A key that did not encrypt is an incorrect one, also where it encrypts nothing at all."""
    kms = world.as_root()
    words = "The key ID in the request does not identify a CMK that can perform this operation."
    wrong = [
        world.cloud.create_key(policy(naming(root(), "kms:*")), **kind)
        for kind in ({}, {"KeySpec": "HMAC_224", "KeyUsage": "GENERATE_VERIFY_MAC"})
    ]
    for key in wrong:
        given = {"CiphertextBlob": blob, "EncryptionContext": PAIRS, "KeyId": key}
        assert refusal(kms.decrypt, **given) == ("IncorrectKeyException", words)
        again = {"CiphertextBlob": blob, "SourceKeyId": key, "DestinationKeyId": world.key}
        assert refusal(kms.re_encrypt, **again) == ("IncorrectKeyException", words)


def test_bare_id_across_accounts(world: World, blob: bytes) -> None:
    """To decrypt, a key of another account may be named by its bare id: the ciphertext says whose it is."""
    bare = world.key.rpartition("/")[2]
    given = {"CiphertextBlob": blob, "KeyId": bare, "EncryptionContext": PAIRS}
    assert code(world.role(world.partner).decrypt, **given) == DENIED
    world.grant(Operations=["Decrypt", "ReEncryptFrom"])
    assert world.role(world.partner).decrypt(**given)["KeyId"] == world.key
    own = world.cloud.create_key(policy(naming(root(PARTNER), "kms:*")), PARTNER)
    world.allow(world.partner, "kms:ReEncryptTo")
    again = {"CiphertextBlob": blob, "SourceKeyId": bare, "SourceEncryptionContext": PAIRS}
    moved = world.role(world.partner).re_encrypt(**again, DestinationKeyId=own)
    assert (moved["SourceKeyId"], moved["KeyId"]) == (world.key, own)
    encrypt = {"KeyId": bare, "Plaintext": b"p"}
    assert code(world.role(world.partner).encrypt, **encrypt) == "NotFoundException"


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
