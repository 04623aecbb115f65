"""Rotation of key material: on demand at once, automatic by its dates alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.kms.access import Access, Asked, KmsCall
from tests.local_aws.kms.keys import Key, Rotation
from tests.local_aws.kms.material import Material
from tests.local_aws.kms.pages import Limits, page

_DEFAULT_PERIOD, _MOST_ON_DEMAND = 365, 25
_OF_ROTATIONS = Limits(100, 1000)


class Rotations:
    """EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, ListKeyRotations, RotateKeyOnDemand."""

    def __init__(self, access: Access, clock: Callable[[], datetime]) -> None:
        self._access, self._clock = access, clock

    def enable(self, call: KmsCall) -> Response:
        """EnableKeyRotation."""
        given = call.parameters.get("RotationPeriodInDays")
        key = self._symmetric(call, {"kms:RotationPeriodInDays": given} if given else {})
        key.rotation = Rotation(self._clock(), given or _DEFAULT_PERIOD)
        return ok({})

    def disable(self, call: KmsCall) -> Response:
        """DisableKeyRotation."""
        self._symmetric(call, {}).rotation = None
        return ok({})

    def status(self, call: KmsCall) -> Response:
        """GetKeyRotationStatus; keys that are never rotated say that they are not."""
        key = self._access.key(call)
        self._access.require(call, key, Asked(call.operation))
        shown: dict[str, Any] = {"KeyId": key.arn, "KeyRotationEnabled": key.rotation is not None}
        if key.rotation:
            due = key.rotation.enabled_at + timedelta(days=key.rotation.period_days)
            shown |= {"RotationPeriodInDays": key.rotation.period_days, "NextRotationDate": due.timestamp()}
        return ok(shown)

    def rotate(self, call: KmsCall) -> Response:
        """RotateKeyOnDemand, done at once."""
        key = self._symmetric(call, {})
        if len(key.materials) > _MOST_ON_DEMAND:
            reached = "The on-demand rotations limit has been reached for the given keyId."
            words = f"{reached} No more on-demand rotations can be performed for this key: {key.arn}"
            raise AwsError("LimitExceededException", words)
        key.materials.append(Material.fresh(len(key.material.secret), self._clock(), "ON_DEMAND"))
        return ok({"KeyId": key.arn})

    def list(self, call: KmsCall) -> Response:
        """ListKeyRotations."""
        key, everything = self._access.key(call), call.parameters.get("IncludeKeyMaterial")
        self._access.require(call, key, Asked(call.operation))
        if not key.symmetric:
            raise _unsupported(key)
        materials = key.materials if everything == "ALL_KEY_MATERIAL" else key.materials[1:]
        shown = [_shown(key, material) for material in materials]
        return ok(page(call, "Rotations", shown, _OF_ROTATIONS, [key.arn, everything]))

    def _symmetric(self, call: KmsCall, context: dict[str, object]) -> Key:
        key = self._access.key(call)
        self._access.require(call, key, Asked(call.operation, context=context))
        key.require_enabled()
        if not key.symmetric:
            raise _unsupported(key)
        return key


def _shown(key: Key, material: Material) -> dict[str, Any]:
    state = "CURRENT" if material is key.material else "NON_CURRENT"
    shown = {"KeyId": key.arn, "KeyMaterialId": material.material_id, "KeyMaterialState": state}
    if material.made_by is None:
        return shown
    return {**shown, "RotationDate": material.made.timestamp(), "RotationType": material.made_by}


def _unsupported(key: Key) -> AwsError:
    words = f"{key.arn} key spec is {key.spec} which is not valid for this operation."
    return AwsError("UnsupportedOperationException", words)
