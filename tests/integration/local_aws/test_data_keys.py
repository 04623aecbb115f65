"""Data keys and data key pairs: sealed under their key and context, and grantable each by itself."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)

from tests.integration.local_aws.world import (
    DENIED,
    DRY,
    PAIRS,
    World,
    code,
    policy,
    statement,
)

UNREADABLE = "InvalidCiphertextException"


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


PAIR_SPECS = ["RSA_2048", "RSA_3072", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"]


@pytest.mark.parametrize("spec", PAIR_SPECS)
def test_data_key_pairs(world: World, spec: str) -> None:
    """A pair's private key comes sealed under the key and its context, and in the clear where asked for."""
    kms, given = world.as_root(), {"KeyId": world.key, "KeyPairSpec": spec, "EncryptionContext": PAIRS}
    made = kms.generate_data_key_pair(**given)
    assert (made["KeyId"], made["KeyPairSpec"]) == (world.key, spec)
    opened = kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"], EncryptionContext=PAIRS)
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (
        made["PrivateKeyPlaintext"],
        made["KeyMaterialId"],
    )
    assert code(kms.decrypt, CiphertextBlob=made["PrivateKeyCiphertextBlob"]) == UNREADABLE
    assert _public(made["PrivateKeyPlaintext"]) == made["PublicKey"]
    sealed = kms.generate_data_key_pair_without_plaintext(**given)
    assert "PrivateKeyPlaintext" not in sealed
    private = kms.decrypt(CiphertextBlob=sealed["PrivateKeyCiphertextBlob"], EncryptionContext=PAIRS)
    assert _public(private["Plaintext"]) == sealed["PublicKey"] != made["PublicKey"]


def _public(private: bytes) -> bytes:
    made = load_der_private_key(private, None).public_key()
    return made.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("granted", ["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"])
def test_grant_for_data_key_pairs(world: World, granted: str) -> None:
    """A grant for one form of the operation allows it within its context, and not the other form."""
    world.grant(Operations=[granted])
    client = world.role(world.partner)
    calls = {
        "GenerateDataKeyPair": client.generate_data_key_pair,
        "GenerateDataKeyPairWithoutPlaintext": client.generate_data_key_pair_without_plaintext,
    }
    given = {"KeyId": world.key, "KeyPairSpec": "ECC_NIST_P256"}
    for name, call in calls.items():
        assert code(call, **given, EncryptionContext=PAIRS) == ("" if name == granted else DENIED)
        assert code(call, **given, EncryptionContext=PAIRS, DryRun=True) == (
            DRY if name == granted else DENIED
        )
        assert code(call, **given) == DENIED
    assert (
        code(client.generate_data_key, KeyId=world.key, KeySpec="AES_256", EncryptionContext=PAIRS) == DENIED
    )


def test_conditions_on_data_key_pairs(world: World) -> None:
    """A policy may allow the pairs of one spec only."""
    of_curves = {"StringLike": {"kms:DataKeyPairSpec": "ECC_*"}}
    allow = statement("kms:GenerateDataKeyPair", Condition=of_curves)
    world.cloud.put_role_policies(world.app, [policy(allow)])
    make = world.role(world.app).generate_data_key_pair
    assert code(make, KeyId=world.key, KeyPairSpec="ECC_NIST_P384") == ""
    assert code(make, KeyId=world.key, KeyPairSpec="RSA_2048") == DENIED


@pytest.mark.parametrize("spec", ["SM2", "ML_KEM_512", "ECC_NIST_EDWARDS25519"])
def test_pairs_that_are_not_made(world: World, spec: str) -> None:
    """A spec of pairs that this KMS does not make is refused, after the caller's right was asked for."""
    given = {"KeyId": world.key, "KeyPairSpec": spec}
    assert code(world.as_root().generate_data_key_pair, **given) == "UnsupportedOperationException"
    assert code(world.role(world.app).generate_data_key_pair, **given) == DENIED
