"""KMS: each call decided by key policy, IAM policies and grants; moto holds the keys and computes."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.authority import Authority
from tests.local_aws.identities import Credentials
from tests.local_aws.kms import shapes
from tests.local_aws.kms.access import Access, Asked, KmsCall
from tests.local_aws.kms.administration import Administration, tag_context
from tests.local_aws.kms.aliases import Aliases
from tests.local_aws.kms.cryptography import Cryptography, alias_context
from tests.local_aws.kms.grant_operations import GrantOperations
from tests.local_aws.kms.grants import Grant, Grants
from tests.local_aws.kms.key_policies import KeyPolicy
from tests.local_aws.kms.keys import Key, Keys
from tests.local_aws.kms.readings import Readings

Forward = Callable[[str, str, Mapping[str, Any]], Response]
"""To moto: account, operation, parameters."""
_IN_ANY_STATE = frozenset({"GetKeyRotationStatus", "ListKeyRotations", "ListResourceTags"})
_UNLESS_PENDING = frozenset({"TagResource", "UntagResource", "UpdateKeyDescription"})
_WHERE_ENABLED = frozenset(
    {
        *("EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand", "GetPublicKey"),
        *("Sign", "Verify", "GenerateMac", "VerifyMac", "DeriveSharedSecret"),
        *("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"),
    }
)
_TAKE_ALIASES = frozenset(
    {"GetPublicKey", "Sign", "Verify", "GenerateMac", "VerifyMac", "DeriveSharedSecret"}
)
_CONDITIONS = {
    "SigningAlgorithm": "kms:SigningAlgorithm",
    "MessageType": "kms:MessageType",
    "MacAlgorithm": "kms:MacAlgorithm",
    "KeyPairSpec": "kms:DataKeyPairSpec",
    "RotationPeriodInDays": "kms:RotationPeriodInDays",
}


class Kms:
    """The service. `readings` says how it reads what AWS documents in two ways."""

    def __init__(
        self, authority: Authority, clock: Callable[[], datetime], region: str, forward: Forward
    ) -> None:
        self._keys, self._forward = Keys(authority.directory, region), forward
        self.readings = Readings()
        self.access = Access(authority, self._keys, Grants(), self.readings)
        grants, aliases = GrantOperations(self.access, clock), Aliases(self.access, region)
        keys, cryptography = Administration(self.access, clock), Cryptography(self.access)
        self._operations: dict[str, Callable[[KmsCall], Response]] = {
            "CreateGrant": grants.create,
            "ListGrants": grants.list,
            "ListRetirableGrants": grants.list_retirable,
            "RetireGrant": grants.retire,
            "RevokeGrant": grants.revoke,
            "Encrypt": cryptography.encrypt,
            "Decrypt": cryptography.decrypt,
            "ReEncrypt": cryptography.re_encrypt,
            "GenerateDataKey": cryptography.data_key,
            "GenerateDataKeyWithoutPlaintext": cryptography.data_key,
            "GenerateRandom": self._random,
            "CreateKey": keys.create,
            "DescribeKey": keys.describe,
            "GetKeyPolicy": keys.get_policy,
            "PutKeyPolicy": keys.put_policy,
            "ListKeyPolicies": keys.list_policies,
            "EnableKey": keys.switch,
            "DisableKey": keys.switch,
            "ScheduleKeyDeletion": keys.schedule_deletion,
            "CancelKeyDeletion": keys.cancel_deletion,
            "CreateAlias": aliases.create,
            "UpdateAlias": aliases.update,
            "DeleteAlias": aliases.delete,
            "ListAliases": aliases.list,
            "ListKeys": aliases.list_keys,
            **dict.fromkeys(_IN_ANY_STATE | _UNLESS_PENDING | _WHERE_ENABLED, self._by_moto),
        }

    @property
    def keys(self) -> dict[str, Key]:
        """Every key by its ARN."""
        return self._keys.by_arn

    def handle(self, caller: Credentials, operation: str, parameters: Mapping[str, Any]) -> Response:
        """The answer to a call. Raises AwsError."""
        shapes.check(operation, parameters)
        if operation not in self._operations:
            raise AwsError("UnsupportedOperationException", f"This KMS has no {operation}.")
        given = _without_nulls(parameters)
        if "Recipient" in given or "DryRunModifiers" in given:
            raise AwsError(
                "UnsupportedOperationException", "This KMS knows no enclaves and no DryRunModifiers."
            )
        return self._operations[operation](KmsCall(caller, operation, given))

    def shown(self, grant: Grant) -> dict[str, Any]:
        """A grant as ListGrants shows it."""
        return self.access.shown(grant)

    def replace_policy(self, key_arn: str, policy: Mapping[str, Any]) -> None:
        """Put a key policy, whoever may."""
        self.keys[key_arn].policy = KeyPolicy(self.access.directory, json.dumps(policy))

    def _random(self, call: KmsCall) -> Response:
        self.access.require_keyless(call)
        if "NumberOfBytes" not in call.parameters:
            raise AwsError("ValidationException", "NumberOfBytes is needed")
        plain = self._keys.random(call.parameters["NumberOfBytes"])
        return ok({"Plaintext": base64.b64encode(plain).decode()})

    def _by_moto(self, call: KmsCall) -> Response:
        given, operation = call.parameters, call.operation
        key = self.access.key(call, aliases=operation in _TAKE_ALIASES)
        tags = {tag["TagKey"]: tag["TagValue"] for tag in given.get("Tags", [])}
        context = {name: given[member] for member, name in _CONDITIONS.items() if member in given}
        context |= alias_context(call) | (tag_context(tags) if tags else {})
        context |= {"aws:TagKeys": given["TagKeys"]} if "TagKeys" in given else {}
        self.access.require(call, key, Asked(operation, given.get("EncryptionContext", {}), context))
        if operation in _UNLESS_PENDING:
            key.require_not_pending()
        elif operation in _WHERE_ENABLED:
            key.require_enabled()
        sent = {name: value for name, value in given.items() if name not in ("DryRun", "GrantTokens")}
        if given.get("DryRun"):
            return call.conclude(dict)
        return self._forward(key.account, operation, {**sent, "KeyId": key.moto.id})


def _without_nulls(given: Any) -> Any:
    """A parameter that is null is one that was not sent, at any depth."""
    if isinstance(given, Mapping):
        return {name: _without_nulls(value) for name, value in given.items() if value is not None}
    return [_without_nulls(value) for value in given] if isinstance(given, list) else given
