"""The archive: a bucket with Object Lock. An object is stored once, whole, and never again."""

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.aws.answers import code_of, uncertain
from grant_broker.domain.archive import PREFIX, ArchiveObject
from grant_broker.domain.errors import ArchiveRefused, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_EXISTS = "PreconditionFailed"
# Another write of the same key is under way (User Guide, "How to prevent object overwrites with conditional
# writes"): whose it is the next run sees.
_MEETS_ANOTHER = frozenset({"ConditionalRequestConflict", "OperationAborted", "SlowDown"})


class _Next(TypedDict, total=False):
    ContinuationToken: str


class Archive:
    """The few S3 calls that are made; how long an object is locked is the bucket's own default to say."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, found: ArchiveObject) -> bool:
        """Store an object if there is none of its key yet; whether it was stored.

        S3 refuses bytes that are not those of the checksum, and answers with the checksum of what it stored.
        Raises ArchiveRefused, or Unavailable where nobody knows.
        """
        checksum = base64.b64encode(found.digest).decode()
        try:
            answer = self._client.put_object(
                Bucket=self._bucket,
                Key=found.key,
                Body=found.body,
                ContentType="application/json",
                # Object Lock asks for a checksum, and for the header that this makes.
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=checksum,
                IfNoneMatch="*",
            )
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == _EXISTS:
                return False
            raise _typed(error) from error
        if answer.get("ChecksumSHA256") != checksum:
            raise ArchiveRefused(f"S3 did not confirm the checksum of {found.key}")
        return True

    def find(self, key: str) -> bytes | None:
        """Find the bytes of an object."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            return answer["Body"].read()
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "NoSuchKey":
                return None
            raise _typed(error) from error

    def list_keys(self) -> Iterator[str]:
        """List the keys of all objects, page after page."""
        token: str | None = None
        while True:
            given: _Next = {"ContinuationToken": token} if token else {}
            try:
                page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=PREFIX, **given)
            except (ClientError, BotoCoreError) as error:
                raise _typed(error) from error
            yield from (each["Key"] for each in page.get("Contents", ()))
            if not (token := page.get("NextContinuationToken")):
                return


def _typed(error: ClientError | BotoCoreError) -> Exception:
    if uncertain(error) or code_of(error) in _MEETS_ANOTHER:
        return Unavailable("the archive did not answer")
    return ArchiveRefused(str(error))
