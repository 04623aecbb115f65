"""Making keys, and their states."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.kms.access import Access, Asked, KmsCall, alias_context
from tests.local_aws.kms.key_policies import KeyPolicy, check, default_policy
from tests.local_aws.kms.keys import Key, spec_context
from tests.local_aws.kms.material import Material, private_key
from tests.local_aws.kms.policy_operations import BYPASS, bypass_context, check_lockout
from tests.local_aws.kms.specs import MAC, SYMMETRIC, check_usage, shown_algorithms
from tests.local_aws.kms.tags import read_tags, tag_context

_SYMMETRIC_BYTES = 32
_SHORTEST_WAIT, _LONGEST_WAIT = 7, 30


class Administration:
    """CreateKey, DescribeKey, UpdateKeyDescription and the states of keys."""

    def __init__(self, access: Access, clock: Callable[[], datetime]) -> None:
        self._access, self._clock = access, clock

    def create(self, call: KmsCall) -> Response:
        """CreateKey; without a Policy the key gets AWS's default one."""
        given = call.parameters
        if given.get("Origin", "AWS_KMS") != "AWS_KMS" or "CustomKeyStoreId" in given or "XksKeyId" in given:
            raise AwsError("UnsupportedOperationException", "This KMS makes its key material itself.")
        spec = _spec(given)
        usage = check_usage(spec, given.get("KeyUsage"))
        tags, multi_region = read_tags(given.get("Tags", [])), given.get("MultiRegion", False)
        context = {
            **spec_context(spec, usage),
            "kms:KeyOrigin": "AWS_KMS",
            "kms:MultiRegion": multi_region,
            **bypass_context(call),
            **tag_context(tags),
        }
        self._access.require_keyless(call, context=context)
        if tags:
            self._access.require_keyless(call, "TagResource", context=tag_context(tags))
        policy = given.get("Policy") or default_policy(call.caller.account)
        check(self._access.directory, policy)
        key = Key(
            arn=self._access.keys.new_arn(call.caller.account, multi_region=multi_region),
            spec=spec,
            usage=usage,
            description=given.get("Description", ""),
            multi_region=multi_region,
            created=self._clock(),
            policy=KeyPolicy(self._access.directory, policy),
            tags=tags,
        )
        if not given.get(BYPASS):
            check_lockout(self._access, call, key, key.policy)
        self._make_material(key)
        self._access.keys.add(key)
        return ok(described(key))

    def _make_material(self, key: Key) -> None:
        if key.symmetric or key.usage == MAC:
            size = _SYMMETRIC_BYTES if key.symmetric else int(key.spec.removeprefix("HMAC_")) // 8
            key.materials.append(Material.fresh(size, key.created))
        else:
            key.private = private_key(key.spec)

    def describe(self, call: KmsCall) -> Response:
        """DescribeKey."""
        key = self._access.key(call, aliases=True)
        self._access.require(call, key, Asked("DescribeKey", context=alias_context(call)))
        return ok(described(key))

    def update_description(self, call: KmsCall) -> Response:
        """UpdateKeyDescription."""
        key = self._access.key(call)
        self._access.require(call, key, Asked(call.operation))
        key.require_not_pending()
        key.description = call.parameters["Description"]
        return ok({})

    def switch(self, call: KmsCall) -> Response:
        """EnableKey and DisableKey."""
        key = self._access.key(call)
        self._access.require(call, key, Asked(call.operation))
        key.require_not_pending()
        key.state = "Enabled" if call.operation == "EnableKey" else "Disabled"
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
        key.state, key.deletion = "PendingDeletion", self._clock() + timedelta(days=days)
        state = {"KeyState": key.state, "PendingWindowInDays": days}
        return ok({"KeyId": key.arn, "DeletionDate": key.deletion.timestamp(), **state})

    def cancel_deletion(self, call: KmsCall) -> Response:
        """CancelKeyDeletion, which leaves the key disabled."""
        key = self._access.key(call)
        self._access.require(call, key, Asked(call.operation))
        if key.state != "PendingDeletion":
            raise AwsError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
        key.state, key.deletion = "Disabled", None
        return ok({"KeyId": key.arn})


def described(key: Key) -> dict[str, Any]:
    """The key as DescribeKey shows it."""
    shown: dict[str, Any] = {
        "AWSAccountId": key.account,
        "KeyId": key.key_id,
        "Arn": key.arn,
        "CreationDate": key.created.timestamp(),
        "Enabled": key.state == "Enabled",
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": key.state,
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        "MultiRegion": key.multi_region,
        **shown_algorithms(key.spec, key.usage),
    }
    if key.symmetric:
        shown["CurrentKeyMaterialId"] = key.material.material_id
    if key.deletion:
        shown["DeletionDate"] = key.deletion.timestamp()
    if key.multi_region:
        primary = key.primary or key
        shown["MultiRegionConfiguration"] = {
            "MultiRegionKeyType": key.multi_region_type,
            "PrimaryKey": _named(primary),
            "ReplicaKeys": [_named(replica) for replica in primary.replicas],
        }
    return {"KeyMetadata": shown}


def _named(key: Key) -> dict[str, str]:
    return {"Arn": key.arn, "Region": key.region}


def _spec(given: Mapping[str, Any]) -> str:
    if "KeySpec" in given and "CustomerMasterKeySpec" in given:
        words = "You cannot specify KeySpec and CustomerMasterKeySpec in the same request."
        raise AwsError("ValidationException", f"{words} CustomerMasterKeySpec is deprecated.")
    return str(given.get("KeySpec") or given.get("CustomerMasterKeySpec") or SYMMETRIC)
