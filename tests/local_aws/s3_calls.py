"""S3's REST protocol, read and answered: which operation on which bucket and key, and a page of keys."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.local_aws.answers import AwsError, Response

# The operation of a bucket or of an object by its method and the query parameter that says which.
_OF_BUCKET = {
    ("GET", "list-type"): "ListObjectsV2",
    ("GET", "versions"): "ListObjectVersions",
    ("PUT", "policy"): "PutBucketPolicy",
    ("DELETE", "policy"): "DeleteBucketPolicy",
    ("PUT", "object-lock"): "PutObjectLockConfiguration",
    ("PUT", "versioning"): "PutBucketVersioning",
    ("PUT", "lifecycle"): "PutBucketLifecycleConfiguration",
    ("POST", "delete"): "DeleteObjects",
}
_OF_OBJECT = {
    ("PUT", "retention"): "PutObjectRetention",
    ("GET", "retention"): "GetObjectRetention",
    ("PUT", "legal-hold"): "PutObjectLegalHold",
    ("PUT", "tagging"): "PutObjectTagging",
    ("POST", "uploads"): "CreateMultipartUpload",
}
_PLAIN = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}


def read_call(method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any]]:
    """The operation and its parameters, the headers among them by their names in lower case.

    A bucket is named by the host (virtual-hosted style) or by the first part of the path.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    path, (first, dot, _) = parts.path, (parts.hostname or "").partition(".s3.")
    bucket = first if dot else ""
    if not bucket:
        bucket, _, path = path.removeprefix("/").partition("/")
    key = unquote(path.removeprefix("/"))
    given: dict[str, Any] = {"Bucket": unquote(bucket), "Key": key, "Query": query, "Body": body}
    given["Headers"] = dict(headers)
    table = _OF_OBJECT if key else _OF_BUCKET
    for (of_method, name), operation in table.items():
        if method == of_method and name in query:
            return operation, given
    if key and method == "PUT" and "x-amz-copy-source" in headers:
        return "CopyObject", given
    if key and method in _PLAIN:
        return _PLAIN[method], given
    if not key and method == "DELETE":
        return "DeleteBucket", given
    raise AwsError("NotImplemented", f"This S3 has no {method} of {sorted(query)}", 501)


def listed(keys: Iterable[str], *, more: str | None) -> Response:
    """A page of ListObjectsV2; `more` is the token of the next one."""
    entries = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys)
    after = f"<NextContinuationToken>{escape(more)}</NextContinuationToken>" if more else ""
    is_cut = str(more is not None).lower()
    text = f"<ListBucketResult><IsTruncated>{is_cut}</IsTruncated>{after}{entries}</ListBucketResult>"
    return 200, {"Content-Type": "application/xml"}, text.encode()
