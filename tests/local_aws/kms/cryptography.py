"""The cryptographic operations: decided here, computed by moto."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from moto.kms.exceptions import InvalidCiphertextException

from tests.local_aws.answers import AwsError, Response
from tests.local_aws.kms.access import Access, Asked, KmsCall
from tests.local_aws.kms.keys import Key

_SYMMETRIC = "SYMMETRIC_DEFAULT"
_ID_LENGTH = 36  # moto's ciphertexts begin with the key's id
_DATA_KEY_SIZE = {"AES_128": 16, "AES_256": 32}


class Cryptography:
    """Encrypt, Decrypt, ReEncrypt and data keys."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def encrypt(self, call: KmsCall) -> Response:
        """Encrypt."""
        key, pairs = self._access.key(call, aliases=True), call.parameters.get("EncryptionContext", {})
        algorithm = call.parameters.get("EncryptionAlgorithm", _SYMMETRIC)
        self._require(call, key, Asked("Encrypt", pairs, _context(call, algorithm)), algorithm)
        plain = base64.b64decode(call.parameters["Plaintext"])
        return call.conclude(
            lambda: {
                "CiphertextBlob": self._sealed(key, plain, pairs),
                "KeyId": key.arn,
                "EncryptionAlgorithm": algorithm,
            }
        )

    def decrypt(self, call: KmsCall) -> Response:
        """Decrypt; a symmetric ciphertext says by itself which key it is of."""
        blob = base64.b64decode(call.parameters.get("CiphertextBlob", ""))
        key = self._source(call, "KeyId", blob)
        pairs = call.parameters.get("EncryptionContext", {})
        algorithm = call.parameters.get("EncryptionAlgorithm", _SYMMETRIC)
        self._require(call, key, Asked("Decrypt", pairs, _context(call, algorithm)), algorithm)
        plain = self._opened(key, blob, pairs)
        return call.conclude(
            lambda: {"Plaintext": _text(plain), "KeyId": key.arn, "EncryptionAlgorithm": algorithm}
        )

    def data_key(self, call: KmsCall) -> Response:
        """GenerateDataKey, with or without the plaintext."""
        key, pairs = self._access.key(call, aliases=True), call.parameters.get("EncryptionContext", {})
        size = _data_key_size(call.parameters)
        self._require(call, key, Asked(call.operation, pairs, _context(call, _SYMMETRIC)), _SYMMETRIC)

        def answer() -> dict[str, Any]:
            plain = self._access.keys.random(size)
            shown = {} if call.operation.endswith("WithoutPlaintext") else {"Plaintext": _text(plain)}
            return {"CiphertextBlob": self._sealed(key, plain, pairs), "KeyId": key.arn, **shown}

        return call.conclude(answer)

    def re_encrypt(self, call: KmsCall) -> Response:
        """ReEncrypt: from one key and to another, each decided for itself."""
        given = call.parameters
        blob = base64.b64decode(given.get("CiphertextBlob", ""))
        source = self._source(call, "SourceKeyId", blob)
        target = self._access.key(call, "DestinationKeyId", aliases=True)
        before, after = (
            given.get("SourceEncryptionContext", {}),
            given.get("DestinationEncryptionContext", {}),
        )
        old = given.get("SourceEncryptionAlgorithm", _SYMMETRIC)
        new = given.get("DestinationEncryptionAlgorithm", _SYMMETRIC)
        same = {"kms:ReEncryptOnSameKey": source is target}
        from_context = {**_context(call, old, "SourceKeyId"), **same}
        to_context = {**_context(call, new, "DestinationKeyId"), **same}
        self._require(call, source, Asked("ReEncryptFrom", before, from_context), old)
        self._require(call, target, Asked("ReEncryptTo", after, to_context), new)
        plain = self._opened(source, blob, before)
        return call.conclude(
            lambda: {
                "CiphertextBlob": self._sealed(target, plain, after),
                "SourceKeyId": source.arn,
                "KeyId": target.arn,
                "SourceEncryptionAlgorithm": old,
                "DestinationEncryptionAlgorithm": new,
            }
        )

    def _source(self, call: KmsCall, name: str, blob: bytes) -> Key:
        if name in call.parameters:
            return self._access.key(call, name, aliases=True)
        key = self._access.keys.by_id.get(blob[:_ID_LENGTH].decode("ascii", "replace"))
        if key is None:
            raise _unreadable()
        return key

    def _require(self, call: KmsCall, key: Key, asked: Asked, algorithm: str) -> None:
        self._access.require(call, key, asked)
        key.require_enabled()
        if algorithm not in (key.moto.encryption_algorithms or ()) or key.moto.key_usage != "ENCRYPT_DECRYPT":
            raise AwsError("InvalidKeyUsageException", f"{key.arn} is not for {asked.action} by {algorithm}.")
        if asked.pairs and not key.symmetric:
            raise AwsError("ValidationException", "An asymmetric key takes no EncryptionContext.")

    def _sealed(self, key: Key, plain: bytes, pairs: Mapping[str, str]) -> str:
        backend = self._access.keys.backend(key.account)
        sealed, _ = backend.encrypt(key_id=key.moto.id, plaintext=plain, encryption_context=_bound(pairs))
        return _text(sealed)

    def _opened(self, key: Key, blob: bytes, pairs: Mapping[str, str]) -> bytes:
        named = blob[:_ID_LENGTH].decode("ascii", "replace")
        if named != key.moto.id:
            if named in self._access.keys.by_id:
                raise AwsError("IncorrectKeyException", "The key did not encrypt this ciphertext.")
            raise _unreadable()
        backend = self._access.keys.backend(key.account)
        try:
            plain, _ = backend.decrypt(ciphertext_blob=blob, encryption_context=_bound(pairs))
        except InvalidCiphertextException as error:
            raise _unreadable() from error
        return bytes(plain)


def _bound(pairs: Mapping[str, str]) -> dict[str, str]:
    # moto runs names and values together, so that {"a": "bc"} opens what {"ab": "c"} sealed.
    return {"pairs": json.dumps(pairs, sort_keys=True)} if pairs else {}


def _context(call: KmsCall, algorithm: str, name: str = "KeyId") -> dict[str, object]:
    return {"kms:EncryptionAlgorithm": algorithm, **alias_context(call, name)}


def alias_context(call: KmsCall, name: str = "KeyId") -> dict[str, object]:
    """kms:RequestAlias, where the call names its key by an alias."""
    named = str(call.parameters.get(name, ""))
    prefix = "alias/" if named.startswith("alias/") else ":alias/"
    return {"kms:RequestAlias": "alias/" + named.split("alias/", 1)[1]} if prefix in named else {}


def _data_key_size(parameters: Mapping[str, Any]) -> int:
    spec, size = parameters.get("KeySpec"), parameters.get("NumberOfBytes")
    if (spec is None) == (size is None):
        raise AwsError("ValidationException", "Please specify either number of bytes or key spec.")
    return int(size or _DATA_KEY_SIZE[str(spec)])


def _unreadable() -> AwsError:
    return AwsError(
        "InvalidCiphertextException", "The ciphertext or its encryption context is not the key's."
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
