"""Signing, MACs, shared secrets and public keys, with the errors that KMS answers with."""

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.integration.local_aws.world import World, code, refusal

ALGORITHMS = [
    *(("RSA_2048", f"RSASSA_PSS_SHA_{bits}") for bits in (256, 384, 512)),
    *(("RSA_2048", f"RSASSA_PKCS1_V1_5_SHA_{bits}") for bits in (256, 384, 512)),
    ("ECC_NIST_P256", "ECDSA_SHA_256"),
    ("ECC_NIST_P384", "ECDSA_SHA_384"),
    ("ECC_NIST_P521", "ECDSA_SHA_512"),
    ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
]
MESSAGE = b"a message"


def _key(world: World, spec: str, usage: str) -> dict[str, Any]:
    return {"KeyId": world.as_root().create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]}


@pytest.mark.parametrize(("spec", "algorithm"), ALGORITHMS)
def test_signatures(world: World, spec: str, algorithm: str) -> None:
    """A signature of a message, or of its digest, verifies here and with the public key anywhere."""
    kms, given = world.as_root(), {**_key(world, spec, "SIGN_VERIFY"), "SigningAlgorithm": algorithm}
    digest = hashlib.new(f"sha{algorithm[-3:]}", MESSAGE).digest()
    for kind, message in (("RAW", MESSAGE), ("DIGEST", digest)):
        signed = kms.sign(**given, Message=message, MessageType=kind)["Signature"]
        for other, same in (("RAW", MESSAGE), ("DIGEST", digest)):
            verified = kms.verify(**given, Message=same, MessageType=other, Signature=signed)
            assert (verified["SignatureValid"], verified["KeyId"]) == (True, given["KeyId"])
        _verify(kms.get_public_key(KeyId=given["KeyId"])["PublicKey"], algorithm, signed)
    wrong = kms.sign(**given, Message=b"another")["Signature"]
    refused = ("KMSInvalidSignatureException", "")
    assert refusal(kms.verify, **given, Message=MESSAGE, Signature=wrong) == refused
    assert refusal(kms.verify, **given, Message=MESSAGE, Signature=b"x") == refused
    words = f"Digest is invalid length for algorithm {algorithm}."
    invalid = {"Message": MESSAGE, "MessageType": "DIGEST"}
    assert refusal(kms.sign, **given, **invalid) == ("ValidationException", words)
    assert refusal(kms.verify, **given, **invalid, Signature=wrong) == ("ValidationException", words)
    assert code(kms.sign, **given, Message=MESSAGE, MessageType="EXTERNAL_MU") == "ValidationException"


def _verify(public: bytes, algorithm: str, signature: bytes) -> None:
    key: Any = load_der_public_key(public)
    hashed = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[-3:]]
    if algorithm.startswith("ECDSA"):
        key.verify(signature, MESSAGE, ec.ECDSA(hashed))
    elif "PSS" in algorithm:
        key.verify(signature, MESSAGE, padding.PSS(padding.MGF1(hashed), hashed.digest_size), hashed)
    else:
        key.verify(signature, MESSAGE, padding.PKCS1v15(), hashed)


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_macs(world: World, bits: int) -> None:
    """A MAC verifies with its key, message and algorithm, and with nothing else."""
    kms, algorithm = world.as_root(), f"HMAC_SHA_{bits}"
    given = {**_key(world, f"HMAC_{bits}", "GENERATE_VERIFY_MAC"), "MacAlgorithm": algorithm}
    assert kms.describe_key(KeyId=given["KeyId"])["KeyMetadata"]["MacAlgorithms"] == [algorithm]
    mac = kms.generate_mac(**given, Message=MESSAGE)["Mac"]
    assert len(mac) == bits // 8
    assert kms.verify_mac(**given, Message=MESSAGE, Mac=mac)["MacValid"]
    refused = ("KMSInvalidMacException", "")
    assert refusal(kms.verify_mac, **given, Message=b"another", Mac=mac) == refused
    other = "HMAC_SHA_256" if bits != 256 else "HMAC_SHA_512"
    words = f"Algorithm {other} is incompatible with key spec HMAC_{bits}."
    wrong = {**given, "MacAlgorithm": other, "Message": MESSAGE}
    assert refusal(kms.generate_mac, **wrong) == ("InvalidKeyUsageException", words)


def test_shared_secrets(world: World) -> None:
    """Two key agreement keys derive the same secret, each from the other's public key."""
    kms = world.as_root()
    one, other = (_key(world, "ECC_NIST_P256", "KEY_AGREEMENT") for _ in range(2))
    agreed = {"KeyAgreementAlgorithm": "ECDH"}

    def secret(mine: dict[str, Any], theirs: dict[str, Any]) -> Any:
        return kms.derive_shared_secret(**mine, **agreed, PublicKey=kms.get_public_key(**theirs)["PublicKey"])

    first = secret(one, other)
    assert first["SharedSecret"] == secret(other, one)["SharedSecret"]
    assert (first["KeyOrigin"], first["KeyAgreementAlgorithm"]) == ("AWS_KMS", "ECDH")
    curve = kms.get_public_key(**_key(world, "ECC_NIST_P384", "KEY_AGREEMENT"))["PublicKey"]
    for wrong in (
        b"no key",
        curve,
        kms.get_public_key(**_key(world, "RSA_2048", "SIGN_VERIFY"))["PublicKey"],
    ):
        assert code(kms.derive_shared_secret, **one, **agreed, PublicKey=wrong) == "ValidationException"


@pytest.mark.parametrize(
    ("operation", "spec", "usage", "given"),
    [
        ("GenerateMac", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", {"MacAlgorithm": "HMAC_SHA_224"}),
        ("Sign", "HMAC_224", "GENERATE_VERIFY_MAC", {"SigningAlgorithm": "RSASSA_PSS_SHA_256"}),
        (
            "Verify",
            "SYMMETRIC_DEFAULT",
            "ENCRYPT_DECRYPT",
            {"SigningAlgorithm": "ECDSA_SHA_256", "Signature": b"x"},
        ),
    ],
)
def test_keys_for_other_usages(
    world: World, operation: str, spec: str, usage: str, given: dict[str, Any]
) -> None:
    """A key is told not to be for an operation of another usage."""
    key = _key(world, spec, usage)
    words = f"{key['KeyId']} key usage is {usage} which is not valid for {operation}."
    kms = world.as_root()
    call = {"GenerateMac": kms.generate_mac, "Sign": kms.sign, "Verify": kms.verify}[operation]
    assert refusal(call, **key, **given, Message=MESSAGE) == ("InvalidKeyUsageException", words)


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_keys_without_a_public_key(world: World, spec: str) -> None:
    """GetPublicKey of a key that has none is refused."""
    usage = "ENCRYPT_DECRYPT" if spec == "SYMMETRIC_DEFAULT" else "GENERATE_VERIFY_MAC"
    assert code(world.as_root().get_public_key, **_key(world, spec, usage)) == "UnsupportedOperationException"
