"""Verification of Signature Version 4 in the Authorization header; UNSIGNED-PAYLOAD is refused."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

from tests.local_aws.answers import AwsError
from tests.local_aws.identities import Credentials

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/,]+)/([^/,]+)/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)
_SKEW = timedelta(minutes=15)


class ExpiredSignatureError(AwsError):
    """A signature that is too old, or not yet current."""


def _refuse(code: str, message: str) -> AwsError:
    return AwsError(code, message, 403)


def scope_of(headers: Mapping[str, str]) -> tuple[str, str, str]:
    """Access key, Region and service that the signature names, not yet verified; headers in lower case."""
    match = _match(headers)
    return match[1], match[3], match[4]


def _match(headers: Mapping[str, str]) -> re.Match[str]:
    if "authorization" not in headers:
        raise _refuse("MissingAuthenticationToken", "Missing Authentication Token")
    match = _HEADER.fullmatch(headers["authorization"])
    if match is None:
        raise _refuse("IncompleteSignatureException", "The Authorization header is malformed")
    return match


def _key(secret: str, scope: list[str]) -> bytes:
    key = ("AWS4" + secret).encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _normal(path: str) -> str:
    """A path without dot segments and empty ones, as clients sign it."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == ".." and kept:
            kept.pop()
        elif part not in {"", ".", ".."}:
            kept.append(part)
    return "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")


def _canonicals(
    method: str, url: str, headers: Mapping[str, str], signed: list[str], body_hash: str, *, is_s3: bool
) -> list[str]:
    parts = urlsplit(url)
    lines = [f"{name}:{' '.join(headers[name].split())}\n" for name in signed]
    # As sent, encoded once more: every service but S3 signs an encoded path encoded again.
    path = parts.path if is_s3 else quote(_normal(parts.path), safe="/-_.~")
    rest = ["".join(lines), ";".join(signed), body_hash]
    return ["\n".join([method, path, query, *rest]) for query in _queries(parts.query)]


def _queries(query: str) -> set[str]:
    """What a client may have signed as its query: every value percent-encoded, or, as botocore does with a
    query that stands in the URL already, what it sent. Both bind the signature to the same parameters."""
    pairs = parse_qsl(query, keep_blank_values=True)
    encoded = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in pairs)
    sent = sorted(part.partition("=")[::2] for part in query.split("&") if query)
    return {"&".join(f"{k}={v}" for k, v in found) for found in (encoded, sent)}


def _check_time(stamp: str, day: str, now: datetime, skew: timedelta) -> None:
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise _refuse("IncompleteSignatureException", "X-Amz-Date is missing or malformed") from error
    if not stamp.startswith(day) or abs(now - signed_at) > skew:
        message = f"Signature expired or not yet current: {stamp}"
        raise ExpiredSignatureError("InvalidSignatureException", message, 403)


def verify(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    find: Callable[[str], Credentials | None],
    now: datetime | None,
    services: frozenset[str],
    regions: frozenset[str],
    skew: timedelta = _SKEW,
) -> tuple[Credentials, str]:
    """The caller and the signed service; `now=None` leaves out the age check. Raises AwsError (403)."""
    lower = {name.lower(): value for name, value in headers.items()}
    access_key, day, region, service, names, signature = _match(lower).groups()
    signed, stamp = names.split(";"), lower.get("x-amz-date", "")
    if service not in services or region not in regions:
        raise _refuse(
            "InvalidSignatureException", "Credential should be scoped to a valid region and service"
        )
    caller = find(access_key)
    if caller is None or not hmac.compare_digest(
        (caller.session_token or "").encode(), lower.get("x-amz-security-token", "").encode()
    ):
        raise _refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
    must = {"host", "x-amz-date"} | ({"x-amz-security-token"} if caller.session_token else set())
    must |= {name for name in lower if name.startswith("x-amz-")}
    if not must <= set(signed) or not set(signed) <= set(lower):
        raise _refuse("InvalidSignatureException", "Required headers are not signed")
    _check_time(
        stamp, day, now or datetime.strptime(stamp or "0", "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), skew
    )
    body_hash = hashlib.sha256(body).hexdigest()
    if lower.get("x-amz-content-sha256", body_hash) != body_hash:
        raise _refuse("InvalidSignatureException", "X-Amz-Content-Sha256 is not the body's hash")
    scope = [day, region, service, "aws4_request"]
    key = _key(caller.secret_access_key, scope)
    for canonical in _canonicals(method, url, lower, signed, body_hash, is_s3=service == "s3"):
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, "/".join(scope), digest])
        if hmac.compare_digest(hmac.new(key, text.encode(), "sha256").hexdigest(), signature):
            return caller, service
    raise _refuse("InvalidSignatureException", "The request signature we calculated does not match")
