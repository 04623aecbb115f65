"""Data keys and data key pairs: made here, given out sealed, and in the clear where they are asked for so."""

import base64
import secrets
from collections.abc import Mapping
from typing import Any

from tests.local_aws.answers import AwsError, Response
from tests.local_aws.kms.access import Access, Asked, KmsCall, alias_context
from tests.local_aws.kms.cryptography import require_algorithm
from tests.local_aws.kms.keys import Key
from tests.local_aws.kms.material import CURVES, private_bytes, private_key, public_bytes
from tests.local_aws.kms.specs import ENCRYPT, SYMMETRIC

_SIZES = {"AES_128": 16, "AES_256": 32}
_PAIR_SPECS = {"RSA_2048", "RSA_3072", "RSA_4096", *CURVES}


class DataKeys:
    """GenerateDataKey, GenerateDataKeyPair, and both without plaintext."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def data_key(self, call: KmsCall) -> Response:
        """GenerateDataKey, with or without the plaintext."""
        key, size = self._access.key(call, aliases=True), _size(call.parameters)
        self._require(call, key, {})

        def answer() -> dict[str, Any]:
            plain = secrets.token_bytes(size)
            return {**_sealed(call, key, plain, "CiphertextBlob"), **_in_the_clear(call, "Plaintext", plain)}

        return call.conclude(answer)

    def pair(self, call: KmsCall) -> Response:
        """GenerateDataKeyPair, with or without the plaintext of the private key."""
        key, spec = self._access.key(call, aliases=True), call.parameters["KeyPairSpec"]
        self._require(call, key, {"kms:DataKeyPairSpec": spec})
        if spec not in _PAIR_SPECS:
            raise AwsError("UnsupportedOperationException", f"This KMS makes no {spec}.")

        def answer() -> dict[str, Any]:
            made = private_key(spec)
            plain = private_bytes(made)
            return {
                **_sealed(call, key, plain, "PrivateKeyCiphertextBlob"),
                **_in_the_clear(call, "PrivateKeyPlaintext", plain),
                "PublicKey": base64.b64encode(public_bytes(made)).decode(),
                "KeyPairSpec": spec,
            }

        return call.conclude(answer)

    def _require(self, call: KmsCall, key: Key, more: Mapping[str, object]) -> None:
        context = {"kms:EncryptionAlgorithm": SYMMETRIC, **alias_context(call), **more}
        self._access.require(call, key, Asked(call.operation, _pairs(call), context))
        key.require_enabled()
        key.require_usage(call.operation, ENCRYPT)
        require_algorithm(key, SYMMETRIC)


def _pairs(call: KmsCall) -> Mapping[str, str]:
    given: Mapping[str, str] = call.parameters.get("EncryptionContext", {})
    return given


def _sealed(call: KmsCall, key: Key, plain: bytes, name: str) -> dict[str, Any]:
    blob = key.material.seal(key.key_id, plain, _pairs(call))
    material_id = key.material.material_id
    return {name: base64.b64encode(blob).decode(), "KeyId": key.arn, "KeyMaterialId": material_id}


def _in_the_clear(call: KmsCall, name: str, plain: bytes) -> dict[str, str]:
    return {} if call.operation.endswith("WithoutPlaintext") else {name: base64.b64encode(plain).decode()}


def _size(parameters: Mapping[str, Any]) -> int:
    spec, size = parameters.get("KeySpec"), parameters.get("NumberOfBytes")
    if (spec is None) == (size is None):
        raise AwsError("ValidationException", "Please specify either number of bytes or key spec.")
    return int(size or _SIZES[str(spec)])
