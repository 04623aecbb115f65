"""Key material: RSA pairs, and a symmetric key's own through its rotations."""

import re
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import (
    load_der_public_key,
)

from tests.integration.local_aws.world import (
    PAIRS,
    START,
    World,
    code,
    refusal,
)

UNREADABLE = "InvalidCiphertextException"


@pytest.mark.parametrize("bits", [2048, 3072])
@pytest.mark.parametrize(("algorithm", "overhead"), [("RSAES_OAEP_SHA_1", 42), ("RSAES_OAEP_SHA_256", 66)])
def test_rsa(world: World, bits: int, algorithm: str, overhead: int) -> None:
    """An RSA key opens what was sealed with its public key anywhere, of the size that the algorithm takes."""
    kms = world.as_root()
    made = kms.create_key(KeySpec=f"RSA_{bits}", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]
    assert made["EncryptionAlgorithms"] == ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
    key: dict[str, Any] = {"KeyId": made["Arn"], "EncryptionAlgorithm": algorithm}
    hashed = {42: hashes.SHA1, 66: hashes.SHA256}[overhead]
    public: Any = load_der_public_key(kms.get_public_key(KeyId=made["Arn"])["PublicKey"])
    elsewhere = public.encrypt(b"p", padding.OAEP(padding.MGF1(hashed()), hashed(), None))
    assert kms.decrypt(**key, CiphertextBlob=elsewhere)["Plaintext"] == b"p"
    most = bits // 8 - overhead
    sealed = kms.encrypt(**key, Plaintext=b"p" * most)["CiphertextBlob"]
    opened = kms.decrypt(**key, CiphertextBlob=sealed)
    assert (opened["Plaintext"], "KeyMaterialId" in opened) == (b"p" * most, False)
    words = f"Algorithm {algorithm} and key spec RSA_{bits} cannot encrypt data larger than {most} bytes."
    assert refusal(kms.encrypt, **key, Plaintext=b"p" * (most + 1)) == ("ValidationException", words)
    assert code(kms.decrypt, **key, CiphertextBlob=b"x" * (bits // 8)) == UNREADABLE
    incompatible = f"Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_{bits}."
    plain = {"KeyId": made["Arn"], "Plaintext": b"p"}
    assert refusal(kms.encrypt, **plain) == ("InvalidKeyUsageException", incompatible)
    assert code(kms.encrypt, **key, Plaintext=b"p", EncryptionContext=PAIRS) == "ValidationException"
    moved = kms.re_encrypt(
        CiphertextBlob=sealed[:],
        SourceKeyId=made["Arn"],
        SourceEncryptionAlgorithm=algorithm,
        DestinationKeyId=world.key,
    )
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == b"p" * most


def test_key_material(world: World) -> None:
    """Answers name the material; a rotation makes another one, and what the old one sealed still opens."""
    kms, key = world.as_root(), {"KeyId": world.key}
    first = kms.describe_key(**key)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert re.fullmatch("[0-9a-f]{64}", first)
    old = kms.encrypt(**key, Plaintext=b"old")
    assert "KeyMaterialId" not in old
    world.now[0] += timedelta(days=1)
    assert kms.rotate_key_on_demand(**key)["KeyId"] == world.key
    second = kms.describe_key(**key)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert second != first
    opened = kms.decrypt(CiphertextBlob=old["CiphertextBlob"])
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"old", first)
    assert kms.generate_data_key(**key, KeySpec="AES_256")["KeyMaterialId"] == second
    moved = kms.re_encrypt(CiphertextBlob=old["CiphertextBlob"], DestinationKeyId=world.key)
    assert (moved["SourceKeyMaterialId"], moved["DestinationKeyMaterialId"]) == (first, second)
    (rotated,) = kms.list_key_rotations(**key)["Rotations"]
    assert (rotated["KeyMaterialId"], rotated["RotationType"]) == (second, "ON_DEMAND")
    assert (rotated["RotationDate"], rotated["KeyMaterialState"]) == (world.now[0], "CURRENT")
    everything = kms.list_key_rotations(**key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [each["KeyMaterialState"] for each in everything] == ["NON_CURRENT", "CURRENT"]
    assert "RotationDate" not in everything[0]


def test_rotations_end(world: World) -> None:
    """A key is rotated on demand twenty-five times at most, and listed in pages."""
    kms = world.as_root()
    for _ in range(25):
        kms.rotate_key_on_demand(KeyId=world.key)
    assert code(kms.rotate_key_on_demand, KeyId=world.key) == "LimitExceededException"
    pages = kms.get_paginator("list_key_rotations").paginate(
        KeyId=world.key, PaginationConfig={"PageSize": 10}
    )
    assert [len(page["Rotations"]) for page in pages] == [10, 10, 5]


def test_rotation_is_for_symmetric_keys(world: World) -> None:
    """Rotation has a period and a next date; keys of other kinds are never rotated and say so."""
    kms = world.as_root()
    key, mac = {"KeyId": world.key}, {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
    kms.enable_key_rotation(**key, RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(**key)
    assert (status["RotationPeriodInDays"], status["NextRotationDate"]) == (90, START + timedelta(days=90))
    kms.disable_key_rotation(**key)
    assert kms.get_key_rotation_status(**key)["KeyRotationEnabled"] is False
    other = {"KeyId": kms.create_key(**mac)["KeyMetadata"]["Arn"]}
    assert kms.get_key_rotation_status(**other)["KeyRotationEnabled"] is False
    for call in (
        kms.enable_key_rotation,
        kms.disable_key_rotation,
        kms.rotate_key_on_demand,
        kms.list_key_rotations,
    ):
        assert code(call, **other) == "UnsupportedOperationException"
