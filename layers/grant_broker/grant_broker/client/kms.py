"""A boto3 KMS client whose calls carry a grant's token and encryption context."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from grant_broker.domain.arns import region_of

if TYPE_CHECKING:
    import boto3
    from botocore.model import OperationModel
    from mypy_boto3_kms import KMSClient

    from grant_broker.api.shapes.third_parties import Request

# By parameter, where a request says it. What the caller gives is left as it is.
_KEY = ("KeyId", "DestinationKeyId")
_CONTEXT = ("EncryptionContext", "DestinationEncryptionContext")


def kms_with_grant(session: "boto3.Session", key_arn: str, current: Callable[[], "Request"]) -> "KMSClient":
    """A KMS client of the key's Region; `current` gives the request to call under, at each call."""
    kms = session.client("kms", region_name=region_of(key_arn))

    def add(params: dict[str, object], model: "OperationModel", **_: object) -> None:
        known = model.input_shape.members if model.input_shape else {}
        if "GrantTokens" not in known:
            return
        request = current()
        token = request["grant"]["grant_token"] if request["grant"] else None
        if token:
            params.setdefault("GrantTokens", [token])
        for name in (name for name in _KEY if name in known):
            params.setdefault(name, request["key"])
        for name in (name for name in _CONTEXT if name in known):
            params.setdefault(name, request["encryption_context"])

    kms.meta.events.register("before-parameter-build.kms", add)
    return kms
