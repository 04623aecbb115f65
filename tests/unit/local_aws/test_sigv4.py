"""Signature Version 4, verified against botocore's own signer."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys

from tests.local_aws.answers import AwsError
from tests.local_aws.identities import Credentials
from tests.local_aws.sigv4 import verify

WHO = Credentials("arn:aws:sts::444455556666:assumed-role/a/b", "444455556666", "ASIA1", "secret", "token")
HOST = "127.0.0.1:8080"


def _signed(url: str, body: bytes = b"{}", headers: dict[str, str] | None = None) -> dict[str, str]:
    request = AWSRequest("POST", url, headers=headers or {}, data=body)
    keys = Keys(WHO.access_key_id, WHO.secret_access_key, WHO.session_token)
    SigV4Auth(keys, "execute-api", "eu-central-1").add_auth(request)
    return {"Host": HOST, **dict(request.headers.items())}


def _verified(url: str, headers: dict[str, str], body: bytes = b"{}", **changes: Any) -> str:
    given: dict[str, Any] = {
        "find": {WHO.access_key_id: WHO}.get,
        "now": datetime.now(UTC),
        "services": frozenset({"execute-api"}),
        "regions": frozenset({"eu-central-1"}),
    }
    return verify("POST", url, headers, body, **given | changes)[0].arn


@pytest.mark.parametrize(
    "target",
    [
        "/live/requests",
        "/live/requests/",
        "/live//requests/./a/../b",
        "/live/requests/a%2Fb%20c",
        "/live/requests/a:b,c=d@e",
        "/live/requests?limit=5&status=active",
        "/live/requests?b=2&a=1&a=0&c=&d=%20%2B%2F",
        "/live/security/events?since=2026-01-31T09:30:00Z&limit=2",
        "/live/security/requests?key=arn:aws:kms:eu-central-1:111122223333:key/a&status=pen%64ing&",
        "/",
    ],
)
def test_signed_as_botocore_does(target: str) -> None:
    """What botocore signs is accepted, whatever is encoded in path and query."""
    url = f"http://{HOST}{target}"
    assert _verified(url, _signed(url)) == WHO.arn


@pytest.mark.parametrize("target", ["/live/requests/a%2Fc", "/live/requests/a/b", "/live/requests/a%252Fb"])
def test_another_path(target: str) -> None:
    """A signature holds for its own path only, an encoded slash being none."""
    headers = _signed(f"http://{HOST}/live/requests/a%2Fb")
    with pytest.raises(AwsError, match="does not match"):
        _verified(f"http://{HOST}{target}", headers)


@pytest.mark.parametrize("query", ["a=1&b=3", "a=1", "a=1&b=2&c=3", "a=1%26b=2", "b=2&a=%2531"])
def test_another_query(query: str) -> None:
    """A signature holds for its own parameters only, however they are encoded."""
    headers = _signed(f"http://{HOST}/live/requests?a=1&b=2")
    with pytest.raises(AwsError, match="does not match"):
        _verified(f"http://{HOST}/live/requests?{query}", headers)


def test_another_body() -> None:
    """A body that was changed on the way is refused."""
    url = f"http://{HOST}/live/requests"
    with pytest.raises(AwsError, match="does not match"):
        _verified(url, _signed(url), b'{"more": 1}')


@pytest.mark.parametrize("digest", ["UNSIGNED-PAYLOAD", hashlib.sha256(b"other").hexdigest(), ""])
def test_declared_hash(digest: str) -> None:
    """A declared payload hash must be the body's: nothing is accepted unsigned."""
    url = f"http://{HOST}/live/requests"
    with pytest.raises(AwsError, match="Content-Sha256"):
        _verified(url, _signed(url, headers={"X-Amz-Content-SHA256": digest}))


def test_right_declared_hash() -> None:
    """A declared payload hash that is the body's is fine."""
    url = f"http://{HOST}/live/requests"
    headers = _signed(url, headers={"X-Amz-Content-SHA256": hashlib.sha256(b"{}").hexdigest()})
    assert _verified(url, headers) == WHO.arn


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"now": datetime.now(UTC) + timedelta(hours=1)}, "expired"),
        ({"now": datetime.now(UTC) - timedelta(hours=1)}, "expired"),
        ({"services": frozenset({"kms"})}, "scoped"),
        ({"regions": frozenset({"us-east-1"})}, "scoped"),
        ({"find": lambda _: None}, "token"),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    """Too old, from the future, for another service or Region, or of a key that nobody knows: refused."""
    url = f"http://{HOST}/live/requests"
    with pytest.raises(AwsError, match=message) as refusal:
        _verified(url, _signed(url), **changes)
    assert refusal.value.status == 403


@pytest.mark.parametrize("name", ["Authorization", "X-Amz-Date", "X-Amz-Security-Token", "Host"])
def test_missing_header(name: str) -> None:
    """Each header that the signature needs must be there."""
    url = f"http://{HOST}/live/requests"
    headers = {key: value for key, value in _signed(url).items() if key != name}
    with pytest.raises(AwsError):
        _verified(url, headers)


def test_another_host() -> None:
    """A signature for one endpoint is none for another."""
    url = f"http://{HOST}/live/requests"
    with pytest.raises(AwsError, match="does not match"):
        _verified(url, {**_signed(url), "Host": "example.org"})
