"""Key material: what a key encrypts and signs with, computed by `cryptography`."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
CURVES: Mapping[str, type[ec.EllipticCurve]] = {
    "ECC_NIST_P256": ec.SECP256R1,
    "ECC_NIST_P384": ec.SECP384R1,
    "ECC_NIST_P521": ec.SECP521R1,
    "ECC_SECG_P256K1": ec.SECP256K1,
}
KEY_ID_LENGTH = 36
_MATERIAL_ID_LENGTH, _NONCE_LENGTH = 32, 12
_HEADER_LENGTH = KEY_ID_LENGTH + _MATERIAL_ID_LENGTH + _NONCE_LENGTH


@dataclass(frozen=True)
class Material:
    """A symmetric key's material; a rotation makes another one, and the old ones still decrypt."""

    secret: bytes
    made: datetime
    made_by: Literal["ON_DEMAND"] | None = None
    """The rotation that made it; None for the key's first."""

    @property
    def material_id(self) -> str:
        """KeyMaterialId: 64 hexadecimal digits."""
        return hashlib.sha256(b"material" + self.secret).hexdigest()

    def seal(self, key_id: str, plain: bytes, pairs: Mapping[str, str]) -> bytes:
        """A ciphertext that names its key and its material, as KMS's own do."""
        nonce = secrets.token_bytes(_NONCE_LENGTH)
        header = key_id.encode().ljust(KEY_ID_LENGTH) + bytes.fromhex(self.material_id) + nonce
        return header + AESGCM(self.secret).encrypt(nonce, plain, _bound(pairs))

    def open(self, blob: bytes, pairs: Mapping[str, str]) -> bytes | None:
        """What was sealed with this material and these pairs, or None."""
        nonce = blob[_HEADER_LENGTH - _NONCE_LENGTH : _HEADER_LENGTH]
        try:
            return AESGCM(self.secret).decrypt(nonce, blob[_HEADER_LENGTH:], _bound(pairs))
        except (InvalidTag, ValueError):
            return None

    @classmethod
    def fresh(cls, size: int, made: datetime, made_by: Literal["ON_DEMAND"] | None = None) -> "Material":
        """Random material of so many bytes."""
        return cls(secrets.token_bytes(size), made, made_by)


def key_id_of(blob: bytes) -> str:
    """The id of the key that a ciphertext says it is of; any text for what is no ciphertext."""
    return blob[:KEY_ID_LENGTH].decode("ascii", "replace")


def material_id_of(blob: bytes) -> str:
    """The id of the material that a ciphertext says it was sealed with."""
    return blob[KEY_ID_LENGTH : KEY_ID_LENGTH + _MATERIAL_ID_LENGTH].hex()


def private_key(spec: str) -> PrivateKey:
    """A fresh private key of an RSA or ECC spec."""
    if spec in CURVES:
        return ec.generate_private_key(CURVES[spec]())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(spec.removeprefix("RSA_")))


def public_bytes(key: PrivateKey) -> bytes:
    """The public key as KMS gives it out: DER, SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def private_bytes(key: PrivateKey) -> bytes:
    """The private key of a data key pair as KMS gives it out: DER, PKCS 8."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _bound(pairs: Mapping[str, str]) -> bytes:
    """The encryption context that a ciphertext is bound to: exact, in any order."""
    return json.dumps(pairs, sort_keys=True).encode()
