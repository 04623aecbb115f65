"""The archive's adapter, on what S3 answers: by examples of AWS's documentation where it has them."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any, cast

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.session import get_session
from moto.core.botocore_stubber import MockRawResponse

from grant_broker.aws.archive import Archive
from grant_broker.aws.clients import Clients
from grant_broker.domain.archive import ArchiveObject
from grant_broker.domain.errors import ArchiveRefused, Unavailable

FOUND = ArchiveObject("requests/2030/01/01/a.1.json", b'{"a":1}')
CHECKSUM = base64.b64encode(hashlib.sha256(FOUND.body).digest()).decode()
CONFIRMED = {"x-amz-checksum-sha256": CHECKSUM, "x-amz-version-id": "v1"}

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, "REST Error Responses"
NO_SUCH_KEY = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error>
  <Code>NoSuchKey</Code>
  <Message>The resource you requested does not exist</Message>
  <Resource>/mybucket/myfoto.jpg</Resource>
  <RequestId>4442587FB7D0A2F9</RequestId>
</Error>"""

# https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html, "Using a continuation token": of its
# thousand keys one is left.
FIRST_PAGE = b"""<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>bucket</Name>
  <Prefix></Prefix>
  <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
  <KeyCount>1000</KeyCount>
  <MaxKeys>1000</MaxKeys>
  <IsTruncated>true</IsTruncated>
  <Contents>
    <Key>happyface.jpg</Key>
    <LastModified>2014-11-21T19:40:05.000Z</LastModified>
    <ETag>"70ee1738b6b21e2c8a43f3a5ab0eee71"</ETag>
    <Size>11</Size>
    <StorageClass>STANDARD</StorageClass>
  </Contents>
</ListBucketResult>"""
LAST_PAGE = b"""<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>bucket</Name><Prefix></Prefix><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated>
</ListBucketResult>"""


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>-</Message></Error>".encode()


class Wire:
    """What is sent, and in turn what is answered: status, headers, body."""

    def __init__(self, *answers: tuple[int, dict[str, str], bytes]) -> None:
        self.sent: list[AWSPreparedRequest] = []
        self._answers: Iterator[tuple[int, dict[str, str], bytes]] = iter(answers)
        session = get_session()
        session.set_credentials("AKIAIOSFODNN7EXAMPLE", "secret")
        # An answer replaces sending; botocore's stubs know only handlers that return nothing.
        session.register("before-send.s3", cast("Any", self._answer))
        aws = Clients(lambda service, **given: session.create_client(service, "eu-central-1", **given))
        self.archive = Archive(aws.s3(), "bucket")

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.sent.append(request)
        status, headers, body = next(self._answers)
        return AWSResponse(request.url, status, HTTPHeaders.from_dict(headers), MockRawResponse(body))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between attempts for real."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def test_put() -> None:
    """Only if there is none, with a checksum, and a signature over the body."""
    wire = Wire((200, CONFIRMED, b""))
    assert wire.archive.put(FOUND) is True
    [request] = wire.sent
    assert (request.method, request.url) == (
        "PUT",
        "https://bucket.s3.eu-central-1.amazonaws.com/requests/2030/01/01/a.1.json",
    )
    assert request.headers["If-None-Match"] in {"*", b"*"}
    # "The Content-MD5 or x-amz-sdk-checksum-algorithm header is required for any request to upload an object
    # with a retention period": https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert headers["x-amz-sdk-checksum-algorithm"] in {"SHA256", b"SHA256"}
    assert headers["x-amz-checksum-sha256"] in {CHECKSUM, CHECKSUM.encode()}
    assert headers["x-amz-content-sha256"] in {FOUND.digest.hex(), FOUND.digest.hex().encode()}
    assert not any(name.startswith("x-amz-object-lock") for name in headers)


def test_put_where_there_is_one() -> None:
    """ "Otherwise, Amazon S3 returns a 412 Precondition Failed error" (API_PutObject, If-None-Match)."""
    assert Wire((412, {}, _error("PreconditionFailed"))).archive.put(FOUND) is False


def test_put_beside_another() -> None:
    """ "On a 409 failure you should retry the upload" (API_PutObject, If-None-Match): the next run does."""
    with pytest.raises(Unavailable):
        Wire((409, {}, _error("ConditionalRequestConflict"))).archive.put(FOUND)


def test_put_unanswered() -> None:
    """After three attempts nobody knows."""
    with pytest.raises(Unavailable):
        Wire(*[(500, {}, _error("InternalError"))] * 3).archive.put(FOUND)


@pytest.mark.parametrize("headers", [{}, {"x-amz-checksum-sha256": "another"}])
def test_put_without_its_checksum(headers: dict[str, str]) -> None:
    """What S3 does not confirm is not stored, as far as the tables go."""
    with pytest.raises(ArchiveRefused, match="did not confirm"):
        Wire((200, headers, b"")).archive.put(FOUND)


def test_put_refused() -> None:
    """For certain, and in AWS's words."""
    with pytest.raises(ArchiveRefused, match="AccessDenied"):
        Wire((403, {}, _error("AccessDenied"))).archive.put(FOUND)


def test_find() -> None:
    """The bytes of an object; nothing where there is none; an error where nobody knows, or may."""
    assert Wire((200, {}, FOUND.body)).archive.find(FOUND.key) == FOUND.body
    assert Wire((404, {}, NO_SUCH_KEY)).archive.find(FOUND.key) is None
    with pytest.raises(ArchiveRefused):
        Wire((403, {}, _error("AccessDenied"))).archive.find(FOUND.key)


def test_list_keys() -> None:
    """Page after page, by the token of each."""
    wire = Wire((200, {}, FIRST_PAGE), (200, {}, LAST_PAGE))
    assert list(wire.archive.list_keys()) == ["happyface.jpg"]
    first, second = (str(request.url) for request in wire.sent)
    assert "continuation-token" not in first
    assert "continuation-token=1ueGcxLPRx1Tr%2FXYExHnhbYLgveDs2J%2Fwm36Hy4vbOwM%3D" in second
    assert "prefix=requests%2F" in first


def test_list_keys_refused() -> None:
    """Without the right to."""
    with pytest.raises(ArchiveRefused):
        list(Wire((403, {}, _error("AccessDenied"))).archive.list_keys())
