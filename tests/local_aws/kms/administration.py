"""Making keys, their policies and their states; moto holds what is not decided by."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.kms.access import Access, Asked, KmsCall
from tests.local_aws.kms.cryptography import alias_context
from tests.local_aws.kms.key_policies import KeyPolicy, check
from tests.local_aws.kms.keys import Key

_DEFAULTS = {"KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS", "MultiRegion": False, "Description": ""}
_BYPASS = "BypassPolicyLockoutSafetyCheck"
_USAGES = {
    "SYMMETRIC_DEFAULT": ("ENCRYPT_DECRYPT",),
    "RSA": ("ENCRYPT_DECRYPT", "SIGN_VERIFY"),
    "ECC": ("SIGN_VERIFY",),
    "HMAC": ("GENERATE_VERIFY_MAC",),
}
_SHORTEST_WAIT, _LONGEST_WAIT = 7, 30


class Administration:
    """CreateKey, key policies, DescribeKey and the states of keys."""

    def __init__(self, access: Access, clock: Callable[[], datetime]) -> None:
        self._access, self._clock = access, clock

    def create(self, call: KmsCall) -> Response:
        """CreateKey; without a Policy the key gets AWS's default one."""
        given = {**_DEFAULTS, **call.parameters}
        if given["Origin"] != "AWS_KMS" or "CustomKeyStoreId" in given or "XksKeyId" in given:
            raise AwsError("UnsupportedOperationException", "This KMS makes its key material itself.")
        spec = given.get("KeySpec") or given.get("CustomerMasterKeySpec") or "SYMMETRIC_DEFAULT"
        _check_usage(spec, given["KeyUsage"])
        tags = {tag["TagKey"]: tag["TagValue"] for tag in given.get("Tags", [])}
        self._access.require_keyless(call, context=_creation(given, spec, tags))
        if tags:
            self._access.require_keyless(call, "TagResource", context=tag_context(tags))
        account = call.caller.account
        policy = given.get("Policy") or _default_policy(account)
        check(self._access.directory, policy)
        moto = self._access.keys.backend(account).create_key(
            None, given["KeyUsage"], spec, given["Description"], given.get("Tags"),
            given["MultiRegion"], given["Origin"],
        )  # fmt: skip
        moto.creation_date = self._clock().timestamp()
        key = self._access.keys.take_in(moto, policy)
        if not given.get(_BYPASS):
            self._guarded(call, key)
        return ok(described(key))

    def _guarded(self, call: KmsCall, key: Key) -> None:
        try:
            self._check_lockout(call, key, key.policy)
        except AwsError:
            self._access.keys.forget(key)
            raise

    def _check_lockout(self, call: KmsCall, key: Key, policy: KeyPolicy) -> None:
        try:
            self._access.require(call, key, Asked("PutKeyPolicy"), policy)
        except AwsError as error:
            words = "The new key policy will not allow you to update the key policy in the future."
            raise AwsError("MalformedPolicyDocumentException", words) from error

    def describe(self, call: KmsCall) -> Response:
        """DescribeKey."""
        key = self._access.key(call, aliases=True)
        self._access.require(call, key, Asked("DescribeKey", context=alias_context(call)))
        return ok(described(key))

    def put_policy(self, call: KmsCall) -> Response:
        """PutKeyPolicy."""
        key, bypass = self._access.key(call), bool(call.parameters.get(_BYPASS))
        self._access.require(call, key, Asked("PutKeyPolicy", context={f"kms:{_BYPASS}": bypass}))
        _check_name(call)
        check(self._access.directory, call.parameters["Policy"])
        policy = KeyPolicy(self._access.directory, call.parameters["Policy"])
        if not bypass:
            self._check_lockout(call, key, policy)
        key.policy = policy
        return ok({})

    def get_policy(self, call: KmsCall) -> Response:
        """GetKeyPolicy."""
        key = self._access.key(call)
        self._access.require(call, key, Asked("GetKeyPolicy"))
        _check_name(call)
        return ok({"Policy": key.policy.text, "PolicyName": "default"})

    def list_policies(self, call: KmsCall) -> Response:
        """ListKeyPolicies: each key has one."""
        self._access.require(call, self._access.key(call), Asked("ListKeyPolicies"))
        return ok({"PolicyNames": ["default"], "Truncated": False})

    def switch(self, call: KmsCall) -> Response:
        """EnableKey and DisableKey."""
        key = self._access.key(call)
        self._access.require(call, key, Asked(call.operation))
        key.require_not_pending()
        enabled = call.operation == "EnableKey"
        key.moto.key_state, key.moto.enabled = "Enabled" if enabled else "Disabled", enabled
        return ok({})

    def schedule_deletion(self, call: KmsCall) -> Response:
        """ScheduleKeyDeletion."""
        key, days = self._access.key(call), call.parameters.get("PendingWindowInDays", _LONGEST_WAIT)
        context = {"kms:ScheduleKeyDeletionPendingWindowInDays": days}
        self._access.require(call, key, Asked(call.operation, context=context))
        key.require_not_pending()
        if not _SHORTEST_WAIT <= days <= _LONGEST_WAIT:
            words = f"PendingWindowInDays must be between {_SHORTEST_WAIT} and {_LONGEST_WAIT}"
            raise AwsError("ValidationException", words)
        at = self._clock() + timedelta(days=days)
        key.moto.key_state, key.moto.enabled = "PendingDeletion", False
        # moto keeps moments in UTC without saying so.
        key.moto.deletion_date = at.astimezone(UTC).replace(tzinfo=None)
        state = {"KeyState": "PendingDeletion", "PendingWindowInDays": days}
        return ok({"KeyId": key.arn, "DeletionDate": at.timestamp(), **state})

    def cancel_deletion(self, call: KmsCall) -> Response:
        """CancelKeyDeletion, which leaves the key disabled."""
        key = self._access.key(call)
        self._access.require(call, key, Asked(call.operation))
        if key.moto.key_state != "PendingDeletion":
            raise AwsError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
        key.moto.key_state, key.moto.deletion_date = "Disabled", None
        return ok({"KeyId": key.arn})


def described(key: Key) -> dict[str, Any]:
    """The key as DescribeKey shows it."""
    shown: dict[str, Any] = key.moto.to_dict()["KeyMetadata"]
    return {"KeyMetadata": {name: value for name, value in shown.items() if value not in (None, [])}}


def tag_context(tags: Mapping[str, str]) -> dict[str, object]:
    """The condition keys of tags that a request brings."""
    return {"aws:TagKeys": list(tags), **{f"aws:RequestTag/{name}": value for name, value in tags.items()}}


def _check_usage(spec: str, usage: str) -> None:
    usages = _USAGES.get(spec if spec == "SYMMETRIC_DEFAULT" else spec.partition("_")[0])
    if usages is None:
        raise AwsError("UnsupportedOperationException", f"This KMS makes no {spec}.")
    if usage not in usages:
        raise AwsError("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}")


def _creation(given: Mapping[str, Any], spec: str, tags: Mapping[str, str]) -> dict[str, object]:
    return {
        "kms:KeySpec": spec,
        "kms:KeyUsage": given["KeyUsage"],
        "kms:KeyOrigin": given["Origin"],
        "kms:MultiRegion": given["MultiRegion"],
        f"kms:{_BYPASS}": bool(given.get(_BYPASS)),
        **tag_context(tags),
    }


def _check_name(call: KmsCall) -> None:
    if call.parameters.get("PolicyName", "default") != "default":
        raise AwsError("NotFoundException", "No such policy exists")


def _default_policy(account: str) -> str:
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]})
