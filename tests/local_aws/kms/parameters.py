"""What CreateGrant accepts beyond its shape."""

from collections.abc import Mapping
from typing import Any

from tests.local_aws.answers import AwsError
from tests.local_aws.kms.keys import Key
from tests.local_aws.kms.readings import Readings

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
_BY_CONTEXT = ("EncryptionContextEquals", "EncryptionContextSubset")
_MOST_PAIRS, _LONGEST_VALUE = 8, 384


def _refuse(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def check_principals(given: Mapping[str, Any]) -> None:
    """Raises ValidationException unless there is one grantee, and at most one retiring principal."""
    if ("GranteePrincipal" in given) == ("GranteeServicePrincipal" in given):
        raise _refuse("You must specify either GranteePrincipal or GranteeServicePrincipal, but not both.")
    if "RetiringPrincipal" in given and "RetiringServicePrincipal" in given:
        raise _refuse("You can specify either RetiringPrincipal or RetiringServicePrincipal, but not both.")
    if "GranteeServicePrincipal" in given:
        if "SourceArn" not in given.get("Constraints", {}):
            raise _refuse("A GranteeServicePrincipal needs a SourceArn constraint.")
        if "RetiringPrincipal" not in given and "RetiringServicePrincipal" not in given:
            raise _refuse(
                "A GranteeServicePrincipal needs a RetiringPrincipal or a RetiringServicePrincipal."
            )


def check_constraints(given: Mapping[str, Any], readings: Readings) -> None:
    """Raises ValidationException where operations or constraints are none that KMS takes on any key."""
    # Reported of CreateGrant alone (2019): a grant must let its grantee do something by itself.
    if not set(given["Operations"]) - {"CreateGrant"}:
        raise _refuse("A grant needs an operation other than CreateGrant.")
    if "Constraints" not in given:
        return
    constraints = given["Constraints"]
    if len(constraints) > 1:
        raise _refuse("More than one constraint supplied")
    if "SourceArn" in constraints:
        return
    kind, pairs = next(iter(constraints.items()), ("", {}))
    if not pairs and not readings.accepts_empty_constraints:
        raise _refuse("Constraints needs encryption context pairs")
    if len(pairs) > _MOST_PAIRS or any(len(value) > _LONGEST_VALUE for value in pairs.values()):
        words = f"{kind} has at most {_MOST_PAIRS} pairs, their values at most {_LONGEST_VALUE} characters"
        raise _refuse(words)


def check_operations(given: Mapping[str, Any], key: Key) -> None:
    """Raises ValidationException where the key has no such operations or takes no such constraint."""
    supported = _SYMMETRIC if key.symmetric else _BY_USAGE[key.usage]
    if not set(given["Operations"]) <= supported | _ALWAYS:
        raise _refuse(f"{key.arn} does not support all of these operations")
    if not key.symmetric and any(kind in given.get("Constraints", {}) for kind in _BY_CONTEXT):
        raise _refuse("Only a symmetric encryption key takes encryption context constraints")
