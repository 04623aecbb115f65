"""Files and bytes of any size under a grant, as messages of the AWS Encryption SDK (extra `encryption-sdk`).

KMS is called once a message, for its data key; whoever may decrypt with the key reads it with any AWS
Encryption SDK. What the grant allows decides how:

- A grant that matches its context by `equals` refuses the SDK's default suite: that one signs, and adds the
  pair `aws-crypto-public-key` to the context. Such messages are not signed; the data key is committed to and
  every frame authenticated all the same.
- Without GenerateDataKey the data key is made here and encrypted by KMS.
"""

import io
import os
import secrets
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from aws_encryption_sdk import EncryptionSDKClient
from aws_encryption_sdk.exceptions import EncryptKeyError, GenerateKeyError
from aws_encryption_sdk.identifiers import AlgorithmSuite
from aws_encryption_sdk.key_providers.kms import KMSMasterKey
from aws_encryption_sdk.structures import DataKey, MasterKeyInfo
from botocore.exceptions import ClientError

from grant_broker.client.errors import GrantBrokerError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from grant_broker.api.shapes.third_parties import Request

_CHUNK = 1024 * 1024
"""Bytes a frame, which is what a reader must hold at once."""


class Usable(Protocol):
    """A grant in use: what `Client.grant` gives."""

    @property
    def request(self) -> "Request":
        """The Request whose grant it is."""

    @property
    def kms(self) -> "KMSClient":
        """A KMS client that adds the grant's token."""


class EncryptedDataKeys(KMSMasterKey):  # type: ignore[misc] # the SDK is not typed
    """A master key for those who may Encrypt and not GenerateDataKey: data keys are made here."""

    def _generate_data_key(
        self, algorithm: AlgorithmSuite, encryption_context: dict[str, str] | None = None
    ) -> DataKey:
        plaintext = secrets.token_bytes(algorithm.kdf_input_len)
        try:
            sent = self.config.client.encrypt(
                KeyId=self.key_id.decode(), Plaintext=plaintext, EncryptionContext=encryption_context or {}
            )
        except ClientError as error:
            raise EncryptKeyError("KMS did not encrypt the data key") from error
        provider = MasterKeyInfo(provider_id=self.provider_id, key_info=sent["KeyId"])
        return DataKey(key_provider=provider, data_key=plaintext, encrypted_data_key=sent["CiphertextBlob"])


def master_key(grant: Usable) -> KMSMasterKey:
    """The `key_provider` for the Encryption SDK's own calls, made for what the grant allows.

    To be used with `suite(grant)` and the grant's encryption context. GrantBrokerError where the grant
    allows nothing that would do.
    """
    allowed = grant.request["operations"]
    if "GenerateDataKey" in allowed:
        return KMSMasterKey(key_id=grant.request["key"], client=grant.kms)
    if "Encrypt" in allowed:
        return EncryptedDataKeys(key_id=grant.request["key"], client=grant.kms)
    raise GrantBrokerError(
        f"the grant allows {', '.join(allowed)} alone. Next: ask for GenerateDataKey, or for Encrypt"
    )


def suite(grant: Usable) -> AlgorithmSuite:
    """The algorithm suite whose encryption context the grant lets through."""
    if grant.request["context_match"] == "equals":
        return AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
    return AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384


def encrypt(grant: Usable, plaintext: bytes) -> bytes:
    """The message of these bytes. GrantBrokerError where KMS refuses the data key."""
    message = io.BytesIO()
    encrypt_stream(grant, io.BytesIO(plaintext), message)
    return message.getvalue()


def encrypt_file(grant: Usable, source: Path, target: Path) -> None:
    """Write the message of a file: whole, or not at all. GrantBrokerError where KMS refuses."""
    with source.open("rb") as plaintext:
        write_message(grant, plaintext, target)


def write_message(grant: Usable, plaintext: IO[bytes], target: Path) -> None:
    """Write the message of a stream: whole, or not at all. GrantBrokerError where KMS refuses."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as message:
        try:
            encrypt_stream(grant, plaintext, message)
            message.flush()
            os.fsync(message.fileno())
            Path(message.name).replace(target)
        except BaseException:
            Path(message.name).unlink()
            raise


def encrypt_stream(grant: Usable, plaintext: IO[bytes], message: IO[bytes]) -> None:
    """Write the message of a stream, a mebibyte at a time. GrantBrokerError where KMS refuses."""
    try:
        with EncryptionSDKClient().stream(
            mode="encrypt",
            source=plaintext,
            key_provider=master_key(grant),
            algorithm=suite(grant),
            encryption_context=grant.request["encryption_context"],
            frame_length=_CHUNK,
        ) as encryptor:
            while chunk := encryptor.read(_CHUNK):
                message.write(chunk)
    except (EncryptKeyError, GenerateKeyError) as error:
        raise GrantBrokerError(f"KMS refused the data key: {error.__cause__}") from error
