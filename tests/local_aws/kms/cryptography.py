"""Encrypt, Decrypt and ReEncrypt."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.local_aws.answers import AwsError, Response, invalid, missing
from tests.local_aws.kms.access import Access, Asked, KmsCall, alias_context
from tests.local_aws.kms.keys import Key
from tests.local_aws.kms.material import key_id_of, material_id_of
from tests.local_aws.kms.specs import ENCRYPT, SYMMETRIC, algorithms

_HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {
    "RSAES_OAEP_SHA_1": hashes.SHA1,
    "RSAES_OAEP_SHA_256": hashes.SHA256,
}


@dataclass(frozen=True)
class _Side:
    """A key with the encryption context and the algorithm that a call uses it with."""

    key: Key
    pairs: Mapping[str, str]
    algorithm: str


class Cryptography:
    """The operations on ciphertexts."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def encrypt(self, call: KmsCall) -> Response:
        """Encrypt."""
        side = _side(call, self._access.key(call, aliases=True))
        self._require(call, "Encrypt", side, "KeyId")
        plain = base64.b64decode(call.parameters["Plaintext"])
        _check_size(side, plain)
        return call.conclude(
            lambda: {
                "CiphertextBlob": base64.b64encode(_sealed(side, plain)).decode(),
                "KeyId": side.key.arn,
                "EncryptionAlgorithm": side.algorithm,
            }
        )

    def decrypt(self, call: KmsCall) -> Response:
        """Decrypt; a symmetric ciphertext says by itself which key it is of."""
        blob = _blob(call)
        side = _side(call, self._source(call, "KeyId", "Decrypt", blob))
        self._require(call, "Decrypt", side, "KeyId")
        plain = self._opened(side, blob)
        return call.conclude(
            lambda: {
                "Plaintext": base64.b64encode(plain).decode(),
                "KeyId": side.key.arn,
                "EncryptionAlgorithm": side.algorithm,
                **_material(side.key, "KeyMaterialId", material_id_of(blob)),
            }
        )

    def re_encrypt(self, call: KmsCall) -> Response:
        """ReEncrypt: from one key and to another, each decided for itself."""
        blob = _blob(call)
        source = _side(call, self._source(call, "SourceKeyId", "ReEncryptFrom", blob), "Source")
        found = self._access.key(call, "DestinationKeyId", aliases=True, action="ReEncryptTo")
        target = _side(call, found, "Destination")
        same = {"kms:ReEncryptOnSameKey": source.key is target.key}
        self._require(call, "ReEncryptFrom", source, "SourceKeyId", same)
        self._require(call, "ReEncryptTo", target, "DestinationKeyId", same)
        plain = self._opened(source, blob)
        _check_size(target, plain)

        def answer() -> dict[str, Any]:
            sealed = _sealed(target, plain)
            return {
                "CiphertextBlob": base64.b64encode(sealed).decode(),
                "SourceKeyId": source.key.arn,
                "KeyId": target.key.arn,
                "SourceEncryptionAlgorithm": source.algorithm,
                "DestinationEncryptionAlgorithm": target.algorithm,
                **_material(source.key, "SourceKeyMaterialId", material_id_of(blob)),
                **_material(target.key, "DestinationKeyMaterialId", material_id_of(sealed)),
            }

        return call.conclude(answer)

    def _source(self, call: KmsCall, name: str, action: str, blob: bytes) -> Key:
        """The key to decrypt with. Its bare id suffices across accounts: the ciphertext says whose it is."""
        inside = self._access.keys.by_id.get(key_id_of(blob))
        named = call.parameters.get(name)
        if inside is not None and named in (None, inside.key_id):
            return inside
        if named is None:
            raise _unreadable()
        return self._access.key(call, name, aliases=True, action=action)

    def _require(
        self, call: KmsCall, action: str, side: _Side, name: str, more: Mapping[str, object] | None = None
    ) -> None:
        context = {"kms:EncryptionAlgorithm": side.algorithm, **alias_context(call, name), **(more or {})}
        self._access.require(call, side.key, Asked(action, side.pairs, context))
        side.key.require_enabled()
        if action in ("Decrypt", "ReEncryptFrom") and side.key.usage != ENCRYPT:
            raise _incorrect_key()
        side.key.require_usage(action, ENCRYPT)
        require_algorithm(side.key, side.algorithm)
        if side.pairs and not side.key.symmetric:
            raise AwsError("ValidationException", "An asymmetric key takes no EncryptionContext.")

    def _opened(self, side: _Side, blob: bytes) -> bytes:
        plain = (
            _opened_by_private_key(side, blob) if side.key.private else self._opened_by_material(side, blob)
        )
        if plain is None:
            raise _unreadable()
        return plain

    def _opened_by_material(self, side: _Side, blob: bytes) -> bytes | None:
        named, material_id = key_id_of(blob), material_id_of(blob)
        if named != side.key.key_id and named in self._access.keys.by_id:
            raise _incorrect_key()
        found = (each for each in side.key.materials if each.material_id == material_id)
        return next((material.open(blob, side.pairs) for material in found), None)


def require_algorithm(key: Key, algorithm: str) -> None:
    """Raises InvalidKeyUsageException where the key has another spec than the algorithm needs."""
    if algorithm not in algorithms(key.spec, key.usage):
        words = f"Algorithm {algorithm} is incompatible with key spec {key.spec}."
        raise AwsError("InvalidKeyUsageException", words)


def _side(call: KmsCall, key: Key, prefix: str = "") -> _Side:
    given = call.parameters
    algorithm = given.get(f"{prefix}EncryptionAlgorithm", SYMMETRIC)
    return _Side(key, given.get(f"{prefix}EncryptionContext", {}), algorithm)


def _blob(call: KmsCall) -> bytes:
    if "CiphertextBlob" not in call.parameters:
        raise invalid(missing("ciphertextBlob"))
    return base64.b64decode(call.parameters["CiphertextBlob"])


def _material(key: Key, name: str, material_id: str) -> dict[str, str]:
    return {name: material_id} if key.symmetric else {}


def _check_size(side: _Side, plain: bytes) -> None:
    """Raises ValidationException for what RSA cannot encrypt at once; the shape bounds the rest."""
    if not isinstance(side.key.private, rsa.RSAPrivateKey):
        return
    most = side.key.private.key_size // 8 - 2 * _HASHES[side.algorithm]().digest_size - 2
    if len(plain) > most:
        with_what = f"Algorithm {side.algorithm} and key spec {side.key.spec}"
        words = f"{with_what} cannot encrypt data larger than {most} bytes."
        raise AwsError("ValidationException", words)


def _sealed(side: _Side, plain: bytes) -> bytes:
    if isinstance(side.key.private, rsa.RSAPrivateKey):
        return side.key.private.public_key().encrypt(plain, _padding(side.algorithm))
    return side.key.material.seal(side.key.key_id, plain, side.pairs)


def _opened_by_private_key(side: _Side, blob: bytes) -> bytes | None:
    assert isinstance(side.key.private, rsa.RSAPrivateKey)
    try:
        return side.key.private.decrypt(blob, _padding(side.algorithm))
    except ValueError:
        return None


def _padding(algorithm: str) -> padding.OAEP:
    made = _HASHES[algorithm]
    return padding.OAEP(padding.MGF1(made()), made(), None)


def _incorrect_key() -> AwsError:
    words = "The key ID in the request does not identify a CMK that can perform this operation."
    return AwsError("IncorrectKeyException", words)


def _unreadable() -> AwsError:
    return AwsError("InvalidCiphertextException", "")
