"""What CreateGrant accepts."""

import re
from typing import Any

from tests.local_stack.answers import AwsError

_NAME = re.compile(r"[a-zA-Z0-9:/_-]{1,256}")
_PRINCIPAL = re.compile(r"[\w+=,.@:/-]{1,256}", re.ASCII)
SYMMETRIC = frozenset(
    [
        "CreateGrant",
        "RetireGrant",
        "DescribeKey",
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
_KNOWN = {
    "KeyId",
    "GranteePrincipal",
    "RetiringPrincipal",
    "Operations",
    "Constraints",
    "GrantTokens",
    "Name",
    "DryRun",
}


def _refuse(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _check_constraints(constraints: Any) -> None:
    # What AWS answers to an empty Constraints is unconfirmed: refused here.
    if not isinstance(constraints, dict) or len(constraints) != 1:
        raise _refuse("More than one constraint supplied" if constraints else "Constraints is empty")
    ((kind, pairs),) = constraints.items()
    if kind not in ("EncryptionContextEquals", "EncryptionContextSubset") or not isinstance(pairs, dict):
        raise _refuse(f"Unknown constraint {kind}")
    if len(pairs) > 8 or any(not isinstance(v, str) or len(v) > 384 for v in pairs.values()):
        raise _refuse("A constraint takes at most 8 pairs with values of at most 384 characters")


def check_create_grant(parameters: dict[str, Any]) -> None:
    """Raises AwsError where a symmetric key's CreateGrant is malformed; unknown parameters are refused."""
    operations = parameters.get("Operations")
    if set(parameters) - _KNOWN:
        raise _refuse(f"Unknown parameters {sorted(set(parameters) - _KNOWN)}")
    if not isinstance(operations, list) or not operations or not set(operations) <= SYMMETRIC:
        raise _refuse("Operations are missing or unsupported by the key")
    for name in ("GranteePrincipal", "RetiringPrincipal"):
        value = parameters.get(name)
        if (value is None and name == "GranteePrincipal") or (value and not _PRINCIPAL.fullmatch(value)):
            raise AwsError("InvalidArnException", "ARN does not refer to a valid principal")
    if "Name" in parameters and not _NAME.fullmatch(parameters["Name"]):
        raise _refuse("Name must satisfy ^[a-zA-Z0-9:/_-]+$ and have at most 256 characters")
    if len(parameters.get("GrantTokens", [])) > 10:
        raise _refuse("At most 10 grant tokens")
    if "Constraints" in parameters:
        _check_constraints(parameters["Constraints"])
