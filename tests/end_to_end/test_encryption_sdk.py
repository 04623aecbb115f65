"""Files of any size under a grant, read by the EC2 role with the AWS Encryption SDK."""

import hashlib
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from aws_encryption_sdk import EncryptionSDKClient
from aws_encryption_sdk.exceptions import GenerateKeyError
from aws_encryption_sdk.key_providers.kms import KMSMasterKey
from botocore.exceptions import ClientError

from grant_broker.client import Client, ConflictError, GrantBrokerError
from grant_broker.client import encryption_sdk as sdk
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running

CONTEXT = {"dataset": "files"}
Ask = Callable[..., Any]


@pytest.fixture
def ask(stack: Running, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask for a grant as the third party; alice approves at once."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.ready["aws_url"])
    monkeypatch.setenv("GRANT_BROKER_URL", stack.ready["api_url"])
    team = Client(session=stack.session("alice")).security

    def approve(_seconds: float) -> None:
        for request in team.list_requests(status="pending", key="partner_data", account="444455556666"):
            with suppress(ConflictError):
                team.approve(request["id"])

    partner = Client(session=stack.session("partner"), sleep=approve)

    def asking(*operations: str, match: str = "equals") -> Any:
        return partner.grant(
            key="partner_data",
            operations=list(operations),
            encryption_context=CONTEXT,
            context_match=match,
            duration="1h",
            reason="files",
        )

    return asking


def read(stack: Running, message: bytes) -> tuple[bytes, dict[str, str]]:
    """Plaintext and encryption context of a message, as the EC2 role reads it."""
    kms = stack.session("data_reader").client("kms")
    key = KMSMasterKey(key_id=stack.key, client=kms)
    plaintext, header = EncryptionSDKClient().decrypt(source=message, key_provider=key)
    return bytes(plaintext), dict(header.encryption_context)


@pytest.mark.parametrize("operation", ["GenerateDataKey", "Encrypt"])
def test_a_file_under_a_grant(stack: Running, ask: Ask, tmp_path: Path, operation: str) -> None:
    """Several frames are encrypted by a grant that matches exactly, with one call of KMS, and read whole."""
    plain = tmp_path / "plain"
    plain.write_bytes(hashlib.shake_128(b"seed").digest(3 * 1024 * 1024 + 7))
    with ask(operation) as grant:
        calls = mock.Mock(return_value=None)
        grant.kms.meta.events.register("before-call.kms", calls)
        sdk.encrypt_file(grant, plain, tmp_path / "message")
        assert calls.call_count == 1
    plaintext, context = read(stack, (tmp_path / "message").read_bytes())
    assert plaintext == plain.read_bytes()
    assert context == CONTEXT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["message", "plain"]


def test_signed_where_it_may_be(stack: Running, ask: Ask) -> None:
    """A grant that matches a subset lets the signing suite through, with the pair that it adds."""
    with ask("GenerateDataKey", match="subset") as grant:
        message = sdk.encrypt(grant, b"orders")
    plaintext, context = read(stack, message)
    assert plaintext == b"orders"
    assert set(context) == {*CONTEXT, "aws-crypto-public-key"}


def test_the_trap(ask: Ask) -> None:
    """The SDK's default suite is refused by a grant that matches exactly, so it is not what is picked."""
    with ask("GenerateDataKey") as grant:
        key = sdk.master_key(grant)
        with pytest.raises(GenerateKeyError) as refused:
            EncryptionSDKClient().encrypt(source=b"x", key_provider=key, encryption_context=CONTEXT)
        assert isinstance(refused.value.__cause__, ClientError)
        assert refused.value.__cause__.response["Error"]["Code"] == "AccessDeniedException"


def test_neither(ask: Ask) -> None:
    """A grant by which no data key can be had is told so, with what to ask for."""
    with ask("DescribeKey") as grant, pytest.raises(GrantBrokerError, match="Next: ask for GenerateDataKey"):
        sdk.encrypt(grant, b"x")


@pytest.mark.parametrize("operation", ["GenerateDataKey", "Encrypt"])
def test_nothing_half_written(stack: Running, ask: Ask, tmp_path: Path, operation: str) -> None:
    """After its end KMS refuses the next file: a clear error, no file; the next grant goes on."""
    plain, message = tmp_path / "plain", tmp_path / "message"
    plain.write_bytes(b"orders")
    with ask(operation) as grant:
        sdk.encrypt_file(grant, plain, tmp_path / "first")
    stack.until("released", {"id": grant.request["id"]})
    with pytest.raises(GrantBrokerError, match=r"KMS refused the data key: .*AccessDenied"):
        sdk.encrypt_file(grant, plain, message)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "plain"]
    with ask(operation) as renewed:
        sdk.encrypt_file(renewed, plain, message)
    assert read(stack, message.read_bytes())[0] == b"orders"


def test_on_the_command_line(
    stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`encrypt --message` writes a file of any size; without the SDK it is said what to install."""
    line = CommandLine(stack, monkeypatch, capsys)
    request = stack.granted(encryption_context=CONTEXT, operations=["GenerateDataKey"])
    (tmp_path / "plain").write_bytes(bytes(10_000))
    words = ("encrypt", request["id"], str(tmp_path / "plain"), "--message")
    assert line.run("partner", *words).code == 2
    done = line.run("partner", *words, "--out", str(tmp_path / "message"))
    assert (done.code, done.out, done.err) == (0, "", "")
    assert read(stack, (tmp_path / "message").read_bytes()) == (bytes(10_000), CONTEXT)
    nowhere = line.run("partner", *words, "--out", str(tmp_path / "none" / "message"))
    assert (nowhere.code, "No such file or directory. Next: give another path" in nowhere.err) == (2, True)
    with mock.patch.dict(sys.modules, {"grant_broker.client.encryption_sdk": None}):
        without = line.run("partner", *words, "--out", str(tmp_path / "other"))
    assert (without.code, "Next: pip install grant-broker[encryption-sdk]" in without.err) == (3, True)
