"""KMS: each call decided by key policy, IAM policies and grants, and answered as KMS answers it."""

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.authority import Authority
from tests.local_aws.identities import Credentials
from tests.local_aws.kms import lacking, shapes
from tests.local_aws.kms.access import Access, KmsCall
from tests.local_aws.kms.administration import Administration
from tests.local_aws.kms.aliases import Aliases
from tests.local_aws.kms.cryptography import Cryptography
from tests.local_aws.kms.data_keys import DataKeys
from tests.local_aws.kms.grant_operations import GrantOperations
from tests.local_aws.kms.grants import Grant
from tests.local_aws.kms.key_policies import KeyPolicy
from tests.local_aws.kms.keys import Key, Keys
from tests.local_aws.kms.policy_operations import PolicyOperations
from tests.local_aws.kms.propagation import Propagation
from tests.local_aws.kms.readings import Readings
from tests.local_aws.kms.replication import Replication
from tests.local_aws.kms.rotation import Rotations
from tests.local_aws.kms.signing import Signing
from tests.local_aws.kms.tags import Tags
from tests.local_aws.kms.usage import Usage

_Operation = Callable[[KmsCall], Response]


class Kms:
    """The service in one Region.

    `readings` says how it reads what AWS documents in two ways, `propagation` how slowly.
    """

    def __init__(
        self,
        authority: Authority,
        clock: Callable[[], datetime],
        region: str,
        readings: Readings | None = None,
    ) -> None:
        self.readings = readings or Readings()
        self.propagation = Propagation(clock)
        self.access = Access(authority, Keys(region), self.propagation, self.readings)
        self.usage = Usage(self.access, clock)
        self.accesses = {region: self.access}
        """Every Region's keys, this one's too, for ReplicateKey."""
        self._operations: dict[str, _Operation] = {
            **self._of_grants(clock),
            **self._of_cryptography(),
            **self._of_keys(clock),
            **self._of_names(region, clock),
            **self._of_lacking(),
            "GenerateRandom": self._random,
            "GetKeyLastUsage": self.usage.last_usage,
        }

    def _of_grants(self, clock: Callable[[], datetime]) -> dict[str, _Operation]:
        grants = GrantOperations(self.access, clock)
        return {
            "CreateGrant": grants.create,
            "ListGrants": grants.list,
            "ListRetirableGrants": grants.list_retirable,
            "RetireGrant": grants.retire,
            "RevokeGrant": grants.revoke,
        }

    def _of_cryptography(self) -> dict[str, _Operation]:
        ciphertexts, data_keys = Cryptography(self.access), DataKeys(self.access)
        signing = Signing(self.access)
        return {
            "Encrypt": ciphertexts.encrypt,
            "Decrypt": ciphertexts.decrypt,
            "ReEncrypt": ciphertexts.re_encrypt,
            "GenerateDataKey": data_keys.data_key,
            "GenerateDataKeyWithoutPlaintext": data_keys.data_key,
            "GenerateDataKeyPair": data_keys.pair,
            "GenerateDataKeyPairWithoutPlaintext": data_keys.pair,
            "Sign": signing.sign,
            "Verify": signing.verify,
            "GenerateMac": signing.generate_mac,
            "VerifyMac": signing.verify_mac,
            "GetPublicKey": signing.public_key,
            "DeriveSharedSecret": signing.derive,
        }

    def _of_keys(self, clock: Callable[[], datetime]) -> dict[str, _Operation]:
        keys, policies = Administration(self.access, clock), PolicyOperations(self.access)
        rotations = Rotations(self.access, clock)
        return {
            "CreateKey": keys.create,
            "DescribeKey": keys.describe,
            "UpdateKeyDescription": keys.update_description,
            "EnableKey": keys.switch,
            "DisableKey": keys.switch,
            "ScheduleKeyDeletion": keys.schedule_deletion,
            "CancelKeyDeletion": keys.cancel_deletion,
            "GetKeyPolicy": policies.get,
            "PutKeyPolicy": policies.put,
            "ListKeyPolicies": policies.list,
            "EnableKeyRotation": rotations.enable,
            "DisableKeyRotation": rotations.disable,
            "GetKeyRotationStatus": rotations.status,
            "ListKeyRotations": rotations.list,
            "RotateKeyOnDemand": rotations.rotate,
            "ReplicateKey": Replication(self.access, clock, self.accesses).replicate,
        }

    def _of_names(self, region: str, clock: Callable[[], datetime]) -> dict[str, _Operation]:
        aliases, tags = Aliases(self.access, region, clock), Tags(self.access)
        return {
            "CreateAlias": aliases.create,
            "UpdateAlias": aliases.update,
            "DeleteAlias": aliases.delete,
            "ListAliases": aliases.list,
            "ListKeys": aliases.list_keys,
            "TagResource": tags.tag,
            "UntagResource": tags.untag,
            "ListResourceTags": tags.list,
        }

    def _of_lacking(self) -> dict[str, _Operation]:
        lacks = lacking.Lacking(self.access)
        return {
            **dict.fromkeys(lacking.OF_IMPORTS, lacks.of_imports),
            **dict.fromkeys(lacking.OF_REGIONS, lacks.of_regions),
            **dict.fromkeys(lacking.OF_ENCAPSULATION, lacks.of_encapsulation),
            **dict.fromkeys(lacking.OF_KEY_STORES, lacks.of_key_stores),
        }

    @property
    def operations(self) -> set[str]:
        """The operations that are answered."""
        return set(self._operations)

    @property
    def keys(self) -> dict[str, Key]:
        """Every key by its ARN."""
        return self.access.keys.by_arn

    def handle(self, caller: Credentials, operation: str, parameters: Mapping[str, Any]) -> Response:
        """The answer to a call. Raises AwsError."""
        shapes.check(operation, parameters)
        if operation not in self._operations:
            # A newer model's: none that the installed one has is missing.
            raise AwsError("UnsupportedOperationException", f"This KMS has no {operation}.")
        self.access.forget_ended()
        given = _without_nulls(parameters)
        if "Recipient" in given or "DryRunModifiers" in given:
            words = "This KMS knows no enclaves and no DryRunModifiers."
            raise AwsError("UnsupportedOperationException", words)
        call = KmsCall(caller, operation, given)
        answer = self._operations[operation](call)
        self.usage.note(call, answer)
        return answer

    def shown(self, grant: Grant) -> dict[str, Any]:
        """A grant as ListGrants shows it."""
        return self.access.shown(grant)

    def replace_policy(self, key_arn: str, policy: Mapping[str, Any]) -> None:
        """Put a key policy, whoever may."""
        self.keys[key_arn].policy = KeyPolicy(self.access.directory, json.dumps(policy))

    def share(self, key_arn: str, policy: Mapping[str, Any] | None) -> None:
        """Put the second policy, AWS_RAM, as Resource Access Manager does; None takes it away.

        It is listed and shown. How KMS weighs it with the first is not documented: here it decides nothing.
        """
        self.keys[key_arn].shared_policy = None if policy is None else json.dumps(policy, indent=2)

    def _random(self, call: KmsCall) -> Response:
        self.access.require_keyless(call)
        if "CustomKeyStoreId" in call.parameters:
            raise AwsError("UnsupportedOperationException", "This KMS has no custom key stores.")
        if "NumberOfBytes" not in call.parameters:
            raise AwsError("ValidationException", "NumberOfBytes is required.")
        plain = secrets.token_bytes(call.parameters["NumberOfBytes"])
        return ok({"Plaintext": base64.b64encode(plain).decode()})


def _without_nulls(given: Any) -> Any:
    """A parameter that is null is one that was not sent, at any depth."""
    if isinstance(given, Mapping):
        return {name: _without_nulls(value) for name, value in given.items() if value is not None}
    return [_without_nulls(value) for value in given] if isinstance(given, list) else given
