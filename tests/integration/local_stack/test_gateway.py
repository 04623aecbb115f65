"""The gateway over HTTP, in front of a function that tells what it was given."""

import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.local_aws.cloud import Cloud, Credentials
from tests.local_stack import gateway_server
from tests.local_stack.client import Answer, Client, send
from tests.local_stack.deployment import Deployment
from tests.local_stack.gateway import LARGEST_BODY, Gateway
from tests.local_stack.workers import FailedError
from tests.support.clock import now

PROBLEM = {"type", "title", "status", "detail", "code"}


class Api:
    """A served gateway; `behind` is what its functions do."""

    def __init__(self) -> None:
        self.deployment = Deployment.create(Cloud(now))
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.result: Any = {"statusCode": 200, "multiValueHeaders": {}, "body": "{}"}
        self.server = gateway_server.serve(Gateway.of(self.deployment, self._behind))
        self.url = f"http://127.0.0.1:{self.server.server_port}/live"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def _behind(self, function: str, event: dict[str, Any]) -> Any:
        self.events.append((function, event))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def client(self, person: str, **changes: str) -> Client:
        """A person's client, its credentials changed."""
        who = self.deployment.people[person].credentials
        return Client(self.url, "eu-central-1", Credentials(**{**vars(who), **changes}))

    def raw(self, text: bytes) -> tuple[int, dict[str, Any]]:
        """The answer to something that is sent as it is."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        connection.connect()
        connection.sock.sendall(text)
        answer = http.client.HTTPResponse(connection.sock)
        answer.begin()
        body = json.loads(answer.read())
        connection.close()
        return answer.status, body


@pytest.fixture(scope="module")
def served() -> Iterator[Api]:
    """One gateway for all tests."""
    api = Api()
    yield api
    api.server.shutdown()
    api.server.server_close()
    moto_api_backend.reset()


@pytest.fixture
def api(served: Api) -> Api:
    """The gateway, its function as at the beginning."""
    served.events.clear()
    served.result = {"statusCode": 200, "multiValueHeaders": {}, "body": "{}"}
    return served


def _refused(answer: Answer, status: int = 403, code: str = "not_permitted") -> None:
    assert (answer.status, answer.body["code"], answer.body["status"]) == (status, code, status)
    assert set(answer.body) >= PROBLEM
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["x-amzn-RequestId"]


def test_identity(api: Api) -> None:
    """The function is told who signed, whatever headers claim."""
    who = api.deployment.people["partner"].credentials
    headers = {"x-amzn-caller": "arn:aws:iam::111122223333:root", "Idempotency-Key": "k"}
    api.client("partner").call("POST", "/requests", {"a": 1}, headers=headers)
    ((function, event),) = api.events
    identity = event["requestContext"]["identity"]
    assert function == "requests"
    assert (identity["userArn"], identity["accountId"]) == (who.arn, who.account)
    assert identity["caller"].startswith("AROA")
    assert identity["caller"].endswith(":application")
    assert event["multiValueHeaders"]["Idempotency-Key"] == ["k"]
    assert "authorization" not in {name.lower() for name in event["headers"]}


def test_path_query_and_body(api: Api) -> None:
    """Parameters are decoded, repeated ones kept, and bytes that are not UTF-8 replaced."""
    client = api.client("partner")
    target = f"{api.url}/requests/a%20b?x=1&x=%C3%A4&y="
    send("GET", target, client.signed("GET", target, b"\xff{}", {}), b"\xff{}")
    ((_, event),) = api.events
    assert event["resource"] == "/requests/{request_id}"
    assert event["pathParameters"] == {"request_id": "a b"}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "ä"], "y": [""]}
    assert event["queryStringParameters"] == {"x": "ä", "y": ""}
    assert event["body"] == "\ufffd{}"
    assert event["requestContext"]["stage"] == "live"


def test_empty_body(api: Api) -> None:
    """A call without a body has none, not an empty one."""
    api.client("partner").call("GET", "/keys")
    assert api.events[0][1]["body"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"secret_access_key": "guessed"},
        {"access_key_id": "ASIANOBODY"},
        {"session_token": "another"},
        {"session_token": ""},
    ],
)
def test_bad_signature(api: Api, changes: dict[str, str]) -> None:
    """A wrong secret, key id or token is refused before any function runs."""
    _refused(api.client("partner", **changes).call("GET", "/requests"))
    assert api.events == []


def test_no_signature(api: Api) -> None:
    """A call that is not signed is refused."""
    _refused(send("GET", f"{api.url}/requests", {}, b""))


def _details(api: Api) -> dict[str, str]:
    """What a call of each kind that the gateway refuses is told."""
    client, url = api.client("partner"), f"{api.url}/requests"
    at = (now() - timedelta(minutes=6)).replace(tzinfo=None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=at):
        stale = client.signed("GET", url, b"", {})
    refused = {
        "not signed": send("GET", url, {}, b""),
        "no such call": client.call("GET", "/nothing"),
        "secret": api.client("partner", secret_access_key="guessed").call("GET", "/requests"),
        "Region": replace(client, region="eu-west-1").call("GET", "/requests"),
        "service": replace(client, service="kms").call("GET", "/requests"),
        "clock": send("GET", url, stale, b""),
        "policy": client.call("GET", "/security/keys"),
    }
    for answer in refused.values():
        _refused(answer)
    return {kind: answer.body["detail"] for kind, answer in refused.items()}


def test_each_kind_of_refusal_has_words_of_its_own(api: Api) -> None:
    """Not signed or no such call; a wrong signature; an old one; no policy: each is told what to look at."""
    told = _details(api)
    assert told["not signed"] == told["no such call"]
    assert told["secret"] == told["Region"] == told["service"]
    assert len(set(told.values())) == 4
    for word in ("Region", "execute-api", "secret", "alphabetical order"):
        assert word in told["secret"]
    for word in ("clock", "expired"):
        assert word in told["clock"]
    assert "execute-api:Invoke" in told["policy"]
    assert api.events == []


@pytest.mark.parametrize(("minutes", "status"), [(-6, 403), (-4, 200), (4, 200), (6, 403)])
def test_a_signature_holds_for_five_minutes(api: Api, minutes: int, status: int) -> None:
    """Older ones, and those of a clock that runs ahead by as much, are refused, as by API Gateway."""
    at = (now() + timedelta(minutes=minutes)).replace(tzinfo=None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=at):
        assert api.client("partner").call("GET", "/requests").status == status


def test_signed_for_something_else(api: Api) -> None:
    """A signature of one call is none for another path, query, method or body."""
    client = api.client("partner")
    headers = client.signed("GET", f"{api.url}/requests", b"", {})
    for method, path, body in (
        ("GET", "/keys", b""),
        ("GET", "/requests?limit=1", b""),
        ("DELETE", "/requests", b""),
        ("GET", "/requests", b"{}"),
    ):
        _refused(send(method, api.url + path, headers, body))
    assert api.events == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"), ("PUT", "/requests"), ("HEAD", "/keys"), ("OPTIONS", "/requests"), ("GET", "/"),
        ("PATCH", "/requests/1"), ("GET", "/requests/"), ("GET", "/requests/1/2/3"), ("GET", "/%72equests"),
        ("GET", "/security/../requests/x/y"),
    ],
)  # fmt: skip
def test_unknown(api: Api, method: str, path: str) -> None:
    """A path or method that the API has not is refused like one that the caller may not use."""
    answer = api.client("alice").call(method, path)
    if method == "HEAD":
        assert (answer.status, answer.body) == (403, None)
    else:
        _refused(answer)
    assert api.events == []


def test_another_stage(api: Api) -> None:
    """The stage is part of the address."""
    who = api.client("partner")
    _refused(Client(api.url.removesuffix("live") + "test", who.region, who.credentials).call("GET", "/keys"))


@pytest.mark.parametrize(
    ("person", "method", "path", "lets_in"),
    [
        ("partner", "POST", "/requests", True),
        ("partner", "GET", "/keys", True),
        ("partner", "DELETE", "/requests/1/grant", True),
        ("other_partner", "GET", "/requests", True),
        ("alice", "GET", "/security/keys", True),
        ("alice", "POST", "/requests", True),
        ("root", "GET", "/keys", True),
        ("partner", "GET", "/security/keys", False),
        ("partner", "POST", "/security/requests/1/decision", False),
        ("outsider", "POST", "/requests", False),
        ("outsider", "GET", "/security/requests", False),
        ("data_reader", "GET", "/requests", False),
    ],
)
def test_policies(api: Api, person: str, method: str, path: str, lets_in: bool) -> None:  # noqa: FBT001
    """Trusted accounts reach the third parties' paths, the home account by IAM, nobody else anything."""
    answer = api.client(person).call(method, path)
    if lets_in:
        assert answer.status == 200
    else:
        _refused(answer)
    assert len(api.events) == lets_in


def test_both_must_allow_across_accounts(api: Api) -> None:
    """A trusted account's principal without an IAM policy of its own is refused, and let in with one."""
    cloud, role = api.deployment.cloud, api.deployment.people["other_partner"].grantee or ""
    kept = list(cloud.directory.principals[role].policies)
    cloud.put_role_policies(role, [])
    _refused(api.client("other_partner").call("GET", "/requests"))
    cloud.put_role_policies(role, kept)
    assert api.client("other_partner").call("GET", "/requests").status == 200


def test_deny_wins(api: Api) -> None:
    """A Deny of the caller's own IAM policies holds in the home account too."""
    cloud, role = api.deployment.cloud, api.deployment.people["alice"].grantee or ""
    kept = list(cloud.directory.principals[role].policies)
    deny = {"Effect": "Deny", "Action": "execute-api:*", "Resource": "*/PUT/security/keys/*"}
    cloud.put_role_policies(role, [*kept, {"Version": "2012-10-17", "Statement": [deny]}])
    _refused(api.client("alice").call("PUT", "/security/keys/1", {}))
    assert api.client("alice").call("GET", "/security/keys/1").status == 200
    cloud.put_role_policies(role, kept)


def test_largest_body(api: Api) -> None:
    """Ten MB reach the function; a byte more is refused by the gateway."""
    client = api.client("partner")
    assert client.call("POST", "/requests", b"x" * LARGEST_BODY).status == 200
    _refused(client.call("POST", "/requests", b"x" * (LARGEST_BODY + 1)), 413, "too_large")
    assert len(api.events) == 1


@pytest.mark.parametrize(
    "result",
    [
        FailedError("the process died"),
        FailedError("timed out after 25 s"),
        None,
        {"status": 200},
        {"statusCode": "200"},
    ],
)
def test_broken_function(api: Api, result: Any) -> None:
    """A function that fails, or answers what is no answer, is 503 with Retry-After: never a bare 500."""
    api.result = result
    answer = api.client("partner").call("GET", "/keys")
    _refused(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "2"


def test_answer(api: Api) -> None:
    """Status, body and headers are the function's; those of the connection are the gateway's own."""
    api.result = {
        "statusCode": 201,
        "headers": {"Location": "/a", "X-One": "1"},
        "multiValueHeaders": {"X-Many": ["1", "2"], "Content-Type": ["application/json"], "Date": ["then"]},
        "body": '{"ä": 1}',
    }
    answer = api.client("partner").call("POST", "/requests", {})
    assert (answer.status, answer.body) == (201, {"ä": 1})
    assert answer.headers["Location"] == "/a"
    assert answer.headers["x-amzn-Remapped-Date"] == "then"


def test_chunked(api: Api) -> None:
    """A body that a client sends in chunks reaches the function whole, and the connection stays good."""
    client, data = api.client("partner"), b'{"reason": "in pieces"}'
    headers = client.signed("POST", f"{api.url}/requests", data, {})
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=10)
    for _ in range(2):
        pieces = iter([data[:5], data[5:]])
        connection.request("POST", "/live/requests", pieces, headers, encode_chunked=True)
        assert connection.getresponse().read() == b"{}"
    connection.close()
    assert [event["body"] for _, event in api.events] == [data.decode()] * 2


def test_binary_answer(api: Api) -> None:
    """A body in base64 is sent as the bytes that it stands for."""
    api.result = {"statusCode": 200, "body": "e30=", "isBase64Encoded": True}
    assert api.client("partner").call("GET", "/keys").body == {}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"BREW /live/keys HTTP/1.1\r\nHost: a\r\n\r\n", 403),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /live/keys HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /live/requests HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 403),
        (b"POST /live/requests HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", 400),
        (b"POST /live/requests HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", 400),
        (b"POST /live/requests HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413),
        (b"POST /live/requests HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /a HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ],
)
def test_malformed(api: Api, text: bytes, status: int) -> None:
    """What is no proper HTTP request gets a problem document too."""
    found, body = api.raw(text)
    assert found == status
    assert set(body) >= PROBLEM
