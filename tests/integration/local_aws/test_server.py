"""The embedded AWS over HTTP, as any client with `endpoint_url` sees it."""

import http.client
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.moto_api._internal.models import moto_api_backend

from tests.integration.local_aws.world import DENIED, code, naming, policy, root
from tests.local_aws.clients import client_of
from tests.local_aws.cloud import Cloud, Credentials
from tests.local_aws.server import serve


@dataclass
class Served:
    """A cloud and the port it answers on."""

    cloud: Cloud
    port: int
    hours: list[int]

    def client(self, service: str, who: Credentials | None = None) -> Any:
        """A plain client of these credentials, root's where none are given."""
        keys = who or self.cloud.root()
        return client_of(
            boto3.Session(),
            service,
            region_name="eu-central-1",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token or None,
        )


@pytest.fixture
def served() -> Iterator[Served]:
    """A cloud over HTTP, at this machine's time plus some hours."""
    hours = [0]
    cloud = Cloud(lambda: datetime.now(UTC) + timedelta(hours=hours[0]))
    server = serve(cloud)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Served(cloud, server.server_port, hours)
    server.shutdown()
    server.server_close()
    thread.join()
    moto_api_backend.reset()


def test_only_fresh_signatures(served: Served) -> None:
    """A client is answered, and refused once its signature is not of this time."""
    client = served.client("dynamodb")
    assert client.list_tables()["TableNames"] == []
    served.hours[0] = 1
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        client.list_tables()


def test_plain_client(served: Served) -> None:
    """A plain client makes a key, a grant and a ciphertext, and is refused in its own protocol."""
    role = served.cloud.create_role("app", [])
    who = served.cloud.session_for(role, "s")
    kms, app = served.client("kms"), served.client("kms", who)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    assert code(app.encrypt, KeyId=key, Plaintext=b"p") == DENIED
    kms.create_grant(KeyId=key, GranteePrincipal=role, Operations=["Encrypt"])
    blob = app.encrypt(KeyId=key, Plaintext=b"p")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"
    assert code(app.decrypt, CiphertextBlob=blob) == DENIED
    assert served.client("sts", who).get_caller_identity()["Arn"] == who.arn
    assert code(served.client("iam", who).get_role, RoleName="app") == "AccessDenied"
    assert served.client("iam").get_role(RoleName="app")["Role"]["Arn"] == role
    assert code(served.client("sns", who).create_topic, Name="t") == "AccessDenied"
    assert served.client("sns").create_topic(Name="t")["TopicArn"].endswith(":t")


def test_many_at_once(served: Served) -> None:
    """Concurrent callers on one key lose nothing."""
    key = served.cloud.create_key(policy(naming(root(), "kms:*")))
    role = served.cloud.create_role("app", [])
    clients = [served.client("kms") for _ in range(4)]

    def grant(number: int) -> str:
        kms = clients[number % 4]
        return str(kms.create_grant(KeyId=key, GranteePrincipal=role, Operations=["Encrypt"])["GrantId"])

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(grant, range(40)))
    assert {found["GrantId"] for found in served.cloud.grants(key)} == set(made)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_other_methods(served: Served, method: str) -> None:
    """Another method is answered with a refusal, on a connection that stays usable."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    for _ in range(2):
        connection.request(method, "/")
        answer = connection.getresponse()
        assert answer.status == 403
        assert (b"MissingAuthentication" in answer.read()) == (method != "HEAD")
    connection.close()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nhost: y\r\nContent-Length: 0\r\n\r\n", b"403"),
        (b"POST //[ HTTP/1.1\r\nHost: [\r\nContent-Length: 0\r\n\r\n", b"403"),
        (b"FLY / HTTP/1.1\r\nHost: x\r\n\r\n", b"501"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_malformed_requests(served: Served, head: bytes, status: bytes) -> None:
    """Whatever comes over the wire is answered with a refusal, and the server goes on."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        assert status in connection.recv(4096)
    assert served.client("dynamodb").list_tables()["TableNames"] == []


def test_bound_to_this_machine(served: Served) -> None:
    """The server listens on the loopback address alone."""
    server = serve(served.cloud)
    assert server.server_address[0] == "127.0.0.1"
    server.server_close()
