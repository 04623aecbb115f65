"""What CreateGrant accepts beyond its shape."""

from collections.abc import Mapping
from typing import Any

from tests.local_aws.answers import AwsError
from tests.local_aws.kms.keys import Key

_ALWAYS = frozenset({"CreateGrant", "RetireGrant", "DescribeKey"})
_SYMMETRIC = frozenset(
    [
        "Encrypt",
        "Decrypt",
        "ReEncryptFrom",
        "ReEncryptTo",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
    ]
)
_BY_USAGE = {
    "ENCRYPT_DECRYPT": frozenset({"Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GetPublicKey"}),
    "SIGN_VERIFY": frozenset({"Sign", "Verify", "GetPublicKey"}),
    "KEY_AGREEMENT": frozenset({"DeriveSharedSecret", "GetPublicKey"}),
    "GENERATE_VERIFY_MAC": frozenset({"GenerateMac", "VerifyMac"}),
}
_UNSUPPORTED = ("GranteeServicePrincipal", "RetiringServicePrincipal")
_MOST_PAIRS, _LONGEST_VALUE = 8, 384


def _refuse(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def check_constraints(given: Mapping[str, Any]) -> None:
    """Raises ValidationException where grantee, operations or constraints are none that KMS takes."""
    if any(name in given for name in _UNSUPPORTED) or "GranteePrincipal" not in given:
        raise _refuse("This KMS knows grants to IAM principals only: GranteePrincipal is needed")
    if not given["Operations"]:
        raise _refuse("Operations is empty")
    if "Constraints" not in given:
        return
    constraints = given["Constraints"]
    if len(constraints) > 1:
        raise _refuse("More than one constraint supplied")
    # Readings, unconfirmed: empty Constraints, a constraint without pairs and one by SourceArn are refused.
    kind, pairs = next(iter(constraints.items()), ("", {}))
    if kind not in ("EncryptionContextEquals", "EncryptionContextSubset") or not pairs:
        raise _refuse("Constraints needs encryption context pairs")
    if len(pairs) > _MOST_PAIRS or any(len(value) > _LONGEST_VALUE for value in pairs.values()):
        raise _refuse(
            f"A constraint has at most {_MOST_PAIRS} pairs, their values at most {_LONGEST_VALUE} characters"
        )


def check_operations(given: Mapping[str, Any], key: Key) -> None:
    """Raises ValidationException where the key has no such operations or takes no constraint."""
    supported = _SYMMETRIC if key.symmetric else _BY_USAGE[key.moto.key_usage]
    if not set(given["Operations"]) <= supported | _ALWAYS:
        raise _refuse(f"{key.arn} does not support all of these operations")
    if "Constraints" in given and not key.symmetric:
        raise _refuse("Only a symmetric encryption key takes encryption context constraints")
