"""The local S3 is as strict as S3 where the archive depends on it; AWS's words stand beside each test."""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_aws.cloud import Cloud
from tests.local_aws.s3 import Bucket
from tests.support.scene import START, Clock

BUCKET, KEY = "history", "requests/a b.json"
_GIVEN: dict[str, Any] = {"Bucket": BUCKET, "Key": KEY}
_SHA256 = base64.b64encode(hashlib.sha256(b"x").digest()).decode()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def cloud(clock: Clock) -> Cloud:
    """A cloud with a bucket that locks for ten days; its owner may do anything."""
    made = Cloud(clock)
    made.s3.buckets[BUCKET] = Bucket(None, "GOVERNANCE", 10)
    return made


def client(cloud: Cloud, policy: dict[str, Any] | None = None) -> Any:
    """S3 as the account's root, or as a role with this policy alone; nothing is repeated."""
    who = cloud.root()
    if policy:
        who = cloud.session_for(cloud.create_role("somebody", [policy]), "s")
    config = Config(
        s3={"payload_signing_enabled": True},
        request_checksum_calculation="when_required",
        retries={"total_max_attempts": 1},
    )
    return cloud.session(who).client("s3", config=config)


def put(s3: Any, **more: Any) -> str:
    """Store an object; the id of its version."""
    given = {**_GIVEN, "Body": b"x", "ChecksumAlgorithm": "SHA256", "ChecksumSHA256": _SHA256, **more}
    answer = s3.put_object(**given)
    assert answer["ChecksumSHA256"] == given["ChecksumSHA256"]
    return str(answer["VersionId"])


def code(call: Any, **given: Any) -> str:
    """The error that a call is answered with."""
    with pytest.raises(ClientError) as error:
        call(**given)
    return str(error.value.response["Error"]["Code"])


def test_a_conditional_write(cloud: Cloud) -> None:
    """ "If an identical key name is found in the bucket, the operation fails" (conditional-writes.html)."""
    s3 = client(cloud)
    put(s3, IfNoneMatch="*")
    assert code(put, s3=s3, IfNoneMatch="*") == "PreconditionFailed"
    # "In a versioned bucket, the most recently uploaded object becomes the current version."
    put(s3)
    s3.delete_object(**_GIVEN)
    put(s3, IfNoneMatch="*")


def test_checksums(cloud: Cloud) -> None:
    """What does not match is refused; Object Lock wants one (API_PutObject, Content-MD5)."""
    s3 = client(cloud)
    assert code(put, s3=s3, ChecksumSHA256=base64.b64encode(bytes(32)).decode()) == "BadDigest"
    assert code(s3.put_object, **_GIVEN, Body=b"x") == "InvalidRequest"
    cloud.s3.buckets[BUCKET].mode = None
    s3.put_object(**_GIVEN, Body=b"x")
    assert "ObjectLockMode" not in s3.get_object(**_GIVEN)


def test_a_lock(cloud: Cloud, clock: Clock) -> None:
    """A version is there until its time is over, whoever asks; a marker on top hides it, and goes again."""
    s3 = client(cloud)
    version = put(s3)
    locked = s3.get_object(**_GIVEN)
    assert (locked["ObjectLockMode"], locked["Body"].read()) == ("GOVERNANCE", b"x")
    assert locked["ObjectLockRetainUntilDate"].replace(tzinfo=None) == datetime(2030, 1, 11, 12)  # noqa: DTZ001
    assert code(s3.delete_object, **_GIVEN, VersionId=version) == "AccessDenied"
    s3.delete_object(**_GIVEN)
    assert code(s3.get_object, **_GIVEN) == "NoSuchKey"
    assert s3.get_object(**_GIVEN, VersionId=version)["Body"].read() == b"x"
    assert START + timedelta(days=10) == cloud.s3.buckets[BUCKET].objects[KEY][0].until
    clock.advance(days=10)
    s3.delete_object(**_GIVEN, VersionId=version)
    assert code(s3.get_object, **_GIVEN, VersionId=version) == "NoSuchKey"


@pytest.mark.parametrize(("mode", "expected"), [("GOVERNANCE", None), ("COMPLIANCE", "AccessDenied")])
def test_a_bypass(cloud: Cloud, mode: str, expected: str | None) -> None:
    """With the right and the header governance gives way, and compliance never (object-lock.html)."""
    cloud.s3.buckets[BUCKET].mode = mode
    s3 = client(cloud)
    given = {**_GIVEN, "VersionId": put(s3), "BypassGovernanceRetention": True}
    may = {"Effect": "Allow", "Action": "s3:DeleteObjectVersion", "Resource": "*"}
    other = client(cloud, {"Version": "2012-10-17", "Statement": [may]})
    assert code(other.delete_object, **given) == "AccessDenied"
    if expected:
        assert code(s3.delete_object, **given) == expected
    else:
        s3.delete_object(**given)


def test_pages(cloud: Cloud) -> None:
    """Keys in their order, from where the last page ended, without those that a marker hides."""
    s3 = client(cloud)
    for name in ("requests/1", "requests/2", "requests/3", "other"):
        put(s3, Key=name)
    s3.delete_object(Bucket=BUCKET, Key="requests/2")
    first = s3.list_objects_v2(Bucket=BUCKET, Prefix="requests/", MaxKeys=1)
    token = first["NextContinuationToken"]
    rest = s3.list_objects_v2(Bucket=BUCKET, Prefix="requests/", ContinuationToken=token)
    assert [each["Key"] for page in (first, rest) for each in page["Contents"]] == [
        "requests/1",
        "requests/3",
    ]
    assert (first["IsTruncated"], rest["IsTruncated"]) == (True, False)


def test_what_is_not_there(cloud: Cloud) -> None:
    """Another bucket; an operation that this S3 does not have."""
    s3 = client(cloud)
    assert code(s3.get_object, Bucket="another", Key="a") == "NoSuchBucket"
    assert code(s3.get_bucket_acl, Bucket=BUCKET) == "NotImplemented"
    assert code(s3.copy_object, **_GIVEN, CopySource="a/b") == "NotImplemented"


def test_a_body_that_was_not_signed(cloud: Cloud) -> None:
    """UNSIGNED-PAYLOAD is refused here as everywhere."""
    config = Config(s3={"payload_signing_enabled": False}, retries={"total_max_attempts": 1})
    s3 = cloud.session(cloud.root()).client("s3", config=config)
    assert code(put, s3=s3) == "SignatureDoesNotMatch"
