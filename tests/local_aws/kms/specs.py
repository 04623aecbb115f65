"""What keys of each KeySpec are for, and by which algorithms (KMS developer guide, "Key spec reference")."""

from collections.abc import Mapping

from tests.local_aws.answers import AwsError

SYMMETRIC = "SYMMETRIC_DEFAULT"
ENCRYPT, SIGN, MAC, AGREE = "ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"
_RSA: Mapping[str, tuple[str, ...]] = {
    ENCRYPT: ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"),
    SIGN: tuple(
        f"RSASSA_{scheme}_SHA_{bits}" for scheme in ("PKCS1_V1_5", "PSS") for bits in (256, 384, 512)
    ),
}
_SPECS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    SYMMETRIC: {ENCRYPT: (SYMMETRIC,)},
    **dict.fromkeys(("RSA_2048", "RSA_3072", "RSA_4096"), _RSA),
    "ECC_NIST_P256": {SIGN: ("ECDSA_SHA_256",), AGREE: ("ECDH",)},
    "ECC_NIST_P384": {SIGN: ("ECDSA_SHA_384",), AGREE: ("ECDH",)},
    "ECC_NIST_P521": {SIGN: ("ECDSA_SHA_512",), AGREE: ("ECDH",)},
    "ECC_SECG_P256K1": {SIGN: ("ECDSA_SHA_256",)},
    **{f"HMAC_{bits}": {MAC: (f"HMAC_SHA_{bits}",)} for bits in (224, 256, 384, 512)},
}
_SHOWN_AS = {
    ENCRYPT: "EncryptionAlgorithms",
    SIGN: "SigningAlgorithms",
    MAC: "MacAlgorithms",
    AGREE: "KeyAgreementAlgorithms",
}


def check_usage(spec: str, usage: str | None) -> str:
    """The key's usage. Raises AwsError where it does not fit the spec, or no such key is made here."""
    usages = _SPECS.get(spec)
    if usages is None:
        raise AwsError("UnsupportedOperationException", f"This KMS makes no {spec}.")
    if usage is None and spec != SYMMETRIC:
        words = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
        raise AwsError("ValidationException", words)
    if (usage or ENCRYPT) not in usages:
        raise AwsError("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}")
    return usage or ENCRYPT


def algorithms(spec: str, usage: str) -> tuple[str, ...]:
    """The algorithms of a key."""
    return _SPECS[spec][usage]


def shown_algorithms(spec: str, usage: str) -> dict[str, list[str]]:
    """The algorithms under the name that DescribeKey gives them."""
    return {_SHOWN_AS[usage]: list(algorithms(spec, usage))}
