"""Signatures, message authentication codes, shared secrets, and the public keys they go with."""

import base64
import hmac
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.kms.access import Access, Asked, KmsCall, alias_context
from tests.local_aws.kms.cryptography import require_algorithm
from tests.local_aws.kms.keys import Key
from tests.local_aws.kms.material import public_bytes
from tests.local_aws.kms.specs import AGREE, MAC, SIGN, shown_algorithms

_HASHES: Mapping[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}


class Signing:
    """The operations of keys that encrypt nothing."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def sign(self, call: KmsCall) -> Response:
        """Sign."""
        key, algorithm = self._signer(call), call.parameters["SigningAlgorithm"]
        digest = _digest(call, algorithm)
        return call.conclude(
            lambda: {
                "KeyId": key.arn,
                "Signature": base64.b64encode(_signature(key, algorithm, digest)).decode(),
                "SigningAlgorithm": algorithm,
            }
        )

    def verify(self, call: KmsCall) -> Response:
        """Verify, which a wrong signature fails."""
        key, algorithm = self._signer(call), call.parameters["SigningAlgorithm"]
        try:
            _verify(key, algorithm, _digest(call, algorithm), base64.b64decode(call.parameters["Signature"]))
        except InvalidSignature as error:
            raise AwsError("KMSInvalidSignatureException", "") from error
        return call.conclude(
            lambda: {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}
        )

    def generate_mac(self, call: KmsCall) -> Response:
        """GenerateMac."""
        key, algorithm, mac = self._mac(call)
        shown = {"KeyId": key.arn, "MacAlgorithm": algorithm}
        return call.conclude(lambda: {**shown, "Mac": base64.b64encode(mac).decode()})

    def verify_mac(self, call: KmsCall) -> Response:
        """VerifyMac, which a wrong code fails."""
        key, algorithm, mac = self._mac(call)
        if not hmac.compare_digest(mac, base64.b64decode(call.parameters["Mac"])):
            raise AwsError("KMSInvalidMacException", "")
        return call.conclude(lambda: {"KeyId": key.arn, "MacValid": True, "MacAlgorithm": algorithm})

    def public_key(self, call: KmsCall) -> Response:
        """GetPublicKey."""
        key = self._access.key(call, aliases=True)
        self._access.require(call, key, Asked(call.operation, context=alias_context(call)))
        key.require_enabled()
        if key.private is None:
            words = f"{key.arn} key spec is {key.spec} which is not valid for GetPublicKey."
            raise AwsError("UnsupportedOperationException", words)
        return ok(
            {
                "KeyId": key.arn,
                "PublicKey": base64.b64encode(public_bytes(key.private)).decode(),
                "CustomerMasterKeySpec": key.spec,
                "KeySpec": key.spec,
                "KeyUsage": key.usage,
                **shown_algorithms(key.spec, key.usage),
            }
        )

    def derive(self, call: KmsCall) -> Response:
        """DeriveSharedSecret."""
        algorithm = call.parameters["KeyAgreementAlgorithm"]
        key = self._require(call, AGREE, algorithm, {"kms:KeyAgreementAlgorithm": algorithm})
        assert isinstance(key.private, ec.EllipticCurvePrivateKey)
        try:
            other: Any = load_der_public_key(base64.b64decode(call.parameters["PublicKey"]))
            secret = key.private.exchange(ec.ECDH(), other)
        except (ValueError, TypeError, AttributeError) as error:
            raise AwsError("ValidationException", "The public key is not valid for this key.") from error
        shown = {"KeyId": key.arn, "KeyAgreementAlgorithm": algorithm, "KeyOrigin": "AWS_KMS"}
        return call.conclude(lambda: {**shown, "SharedSecret": base64.b64encode(secret).decode()})

    def _signer(self, call: KmsCall) -> Key:
        given = call.parameters
        more = {
            "kms:SigningAlgorithm": given["SigningAlgorithm"],
            "kms:MessageType": given.get("MessageType", "RAW"),
        }
        return self._require(call, SIGN, given["SigningAlgorithm"], more)

    def _mac(self, call: KmsCall) -> tuple[Key, str, bytes]:
        algorithm = call.parameters["MacAlgorithm"]
        key = self._require(call, MAC, algorithm, {"kms:MacAlgorithm": algorithm})
        name = algorithm.removeprefix("HMAC_").replace("_", "").lower()
        message = base64.b64decode(call.parameters["Message"])
        return key, algorithm, hmac.digest(key.material.secret, message, name)

    def _require(self, call: KmsCall, usage: str, algorithm: str, context: Mapping[str, object]) -> Key:
        key = self._access.key(call, aliases=True)
        asked = Asked(call.operation, context={**context, **alias_context(call)})
        self._access.require(call, key, asked)
        key.require_enabled()
        key.require_usage(call.operation, usage)
        require_algorithm(key, algorithm)
        return key


def _hash_of(algorithm: str) -> hashes.HashAlgorithm:
    return _HASHES[algorithm[-3:]]()


def _digest(call: KmsCall, algorithm: str) -> bytes:
    """What is signed: the message's digest, or the message where the caller made the digest."""
    message, kind = base64.b64decode(call.parameters["Message"]), call.parameters.get("MessageType", "RAW")
    if kind == "RAW":
        made = hashes.Hash(_hash_of(algorithm))
        made.update(message)
        return made.finalize()
    if kind != "DIGEST":
        raise AwsError("ValidationException", f"MessageType {kind} is not valid for {algorithm}.")
    if len(message) != _hash_of(algorithm).digest_size:
        raise AwsError("ValidationException", f"Digest is invalid length for algorithm {algorithm}.")
    return message


def _signature(key: Key, algorithm: str, digest: bytes) -> bytes:
    hashed = Prehashed(_hash_of(algorithm))
    if isinstance(key.private, rsa.RSAPrivateKey):
        return key.private.sign(digest, _padding(algorithm), hashed)
    assert key.private is not None
    return key.private.sign(digest, ec.ECDSA(hashed))


def _verify(key: Key, algorithm: str, digest: bytes, signature: bytes) -> None:
    hashed = Prehashed(_hash_of(algorithm))
    if isinstance(key.private, rsa.RSAPrivateKey):
        key.private.public_key().verify(signature, digest, _padding(algorithm), hashed)
        return
    assert key.private is not None
    key.private.public_key().verify(signature, digest, ec.ECDSA(hashed))


def _padding(algorithm: str) -> padding.PSS | padding.PKCS1v15:
    if "PSS" not in algorithm:
        return padding.PKCS1v15()
    made = _hash_of(algorithm)
    return padding.PSS(padding.MGF1(made), made.digest_size)
