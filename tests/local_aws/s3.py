"""S3 as far as an archive needs it: conditional writes, checksums, versions, and Object Lock, all strict.

Buckets are made by the deployment, from the template. What it says of AWS is quoted beside the tests, in
tests/integration/local_aws/test_s3.py.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from tests.local_aws.answers import AwsError, Response
from tests.local_aws.authority import Authority
from tests.local_aws.identities import Credentials
from tests.local_aws.s3_calls import listed

_PAGE = 1000
_SHA256 = "x-amz-checksum-sha256"
_BYPASS = "x-amz-bypass-governance-retention"
_MODE = "x-amz-object-lock-mode"
_ACTIONS = {
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "HeadObject": "GetObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
}
_OF_VERSION = {"GetObject", "HeadObject", "DeleteObject", "PutObjectTagging"}


@dataclass
class Version:
    """One version of an object; a delete marker has no body. Locked in a mode until a time, or not."""

    id: str
    body: bytes | None
    mode: str | None = None
    until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        """Whether nobody may delete it without more ado."""
        return self.until is not None and now < self.until


@dataclass
class Bucket:
    """A versioned bucket with its policy, and the retention that each new version gets."""

    policy: Mapping[str, Any] | None = None
    mode: str | None = None
    days: int = 0
    objects: dict[str, list[Version]] = field(default_factory=dict)

    def current(self, key: str) -> Version | None:
        """The version that is read when none is named; None where that is a delete marker, too."""
        versions = self.objects.get(key, [])
        return versions[-1] if versions and versions[-1].body is not None else None


class S3:
    """The service in one Region; names of buckets are those of all accounts."""

    def __init__(self, authority: Authority, clock: Callable[[], datetime]) -> None:
        self._authority, self._clock = authority, clock
        self.buckets: dict[str, Bucket] = {}
        self._ids = count(1)

    def handle(self, caller: Credentials, operation: str, parameters: dict[str, Any]) -> Response:
        """The answer to a call. Raises AwsError."""
        key, headers = parameters["Key"], parameters["Headers"]
        bucket = self.buckets.get(parameters["Bucket"])
        for action in _needed(operation, parameters):
            self._require(caller, action, parameters)
        if bucket is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
        version = parameters["Query"].get("versionId")
        match operation:
            case "PutObject":
                return self._put(bucket, key, headers, parameters["Body"])
            case "GetObject" | "HeadObject":
                return _get(bucket, key, version)
            case "DeleteObject":
                return self._delete(bucket, key, version, bypass=headers.get(_BYPASS) == "true")
            case "ListObjectsV2":
                return _list(bucket, parameters["Query"])
        raise AwsError("NotImplemented", f"This S3 has no {operation}", 501)

    def _require(self, caller: Credentials, action: str, given: dict[str, Any]) -> None:
        bucket = self.buckets.get(given["Bucket"])
        resource = f"arn:aws:s3:::{given['Bucket']}" + (f"/{given['Key']}" if given["Key"] else "")
        context: dict[str, object] = {"s3:ObjectCreationOperation": True} if action == "PutObject" else {}
        if "if-none-match" in given["Headers"]:
            context["s3:if-none-match"] = given["Headers"]["if-none-match"]
        if "prefix" in given["Query"]:
            context["s3:prefix"] = given["Query"]["prefix"]
        policy = bucket.policy if bucket else None
        self._authority.require(caller, f"s3:{action}", resource, context, resource_policy=policy)

    def _put(self, bucket: Bucket, key: str, headers: Mapping[str, str], body: bytes) -> Response:
        checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
        if headers.get(_SHA256, checksum) != checksum:
            raise AwsError("BadDigest", "The SHA256 you specified did not match the calculated checksum.")
        if bucket.mode and "content-md5" not in headers and "x-amz-sdk-checksum-algorithm" not in headers:
            words = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests"
            raise AwsError("InvalidRequest", f"{words} with Object Lock parameters")
        if headers.get("if-none-match") == "*" and bucket.current(key):
            words = "At least one of the pre-conditions you specified did not hold"
            raise AwsError("PreconditionFailed", words, 412)
        until = self._clock() + timedelta(days=bucket.days) if bucket.mode else None
        made = Version(f"v{next(self._ids)}", body, bucket.mode, until)
        bucket.objects.setdefault(key, []).append(made)
        return 200, {"x-amz-version-id": made.id, _SHA256: checksum, "ETag": '"made"'}, b""

    def _delete(self, bucket: Bucket, key: str, version: str | None, *, bypass: bool) -> Response:
        versions = bucket.objects.setdefault(key, [])
        if version is None:
            # A simple DELETE puts a marker on top; Object Lock keeps the versions below it.
            versions.append(Version(f"v{next(self._ids)}", None))
            return 204, {"x-amz-delete-marker": "true"}, b""
        for found in [each for each in versions if each.id == version]:
            may_bypass = bypass and found.mode == "GOVERNANCE"
            if found.is_locked(self._clock()) and not may_bypass:
                raise AwsError("AccessDenied", "Access Denied because object protected by object lock.", 403)
            versions.remove(found)
        return 204, {}, b""


def _needed(operation: str, given: Mapping[str, Any]) -> list[str]:
    action = _ACTIONS.get(operation, operation)
    if operation in _OF_VERSION and "versionId" in given["Query"]:
        action += "Version"
    needed = [action]
    if _BYPASS in given["Headers"]:
        needed.append("BypassGovernanceRetention")
    if _MODE in given["Headers"]:
        needed.append("PutObjectRetention")
    return needed


def _get(bucket: Bucket, key: str, version: str | None) -> Response:
    found = bucket.current(key)
    if version:
        found = next((each for each in bucket.objects.get(key, []) if each.id == version), None)
    if found is None or found.body is None:
        raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
    headers = {"x-amz-version-id": found.id, "Content-Type": "application/json"}
    if found.mode and found.until:
        headers[_MODE] = found.mode
        headers["x-amz-object-lock-retain-until-date"] = f"{found.until:%Y-%m-%dT%H:%M:%SZ}"
    return 200, headers, found.body


def _list(bucket: Bucket, query: Mapping[str, str]) -> Response:
    most, after = int(query.get("max-keys", _PAGE)), query.get("continuation-token", "")
    prefix = query.get("prefix", "")
    keys = [key for key in sorted(bucket.objects) if bucket.current(key)]
    left = [key for key in keys if key.startswith(prefix) and key > after]
    return listed(left[:most], more=left[most - 1] if len(left) > most else None)
