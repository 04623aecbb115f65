"""Who gets through at both endpoints, and what a grant lets its grantee do at KMS."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.conftest import Running
from tests.local_aws.cloud import Credentials
from tests.local_stack.client import Client, send

CONTEXT = {"dataset": "orders"}


@contextmanager
def _refused(code: str = "AccessDeniedException") -> Iterator[None]:
    with pytest.raises(ClientError) as error:
        yield
    assert error.value.response["Error"]["Code"] == code


def _encrypt(stack: Running, person: str, context: dict[str, str] | None = None, **more: Any) -> bytes:
    pairs = CONTEXT if context is None else context
    kms = stack.aws(person, "kms")
    return bytes(
        kms.encrypt(KeyId=stack.key, Plaintext=b"1", EncryptionContext=pairs, **more)["CiphertextBlob"]
    )


def test_a_grant_is_needed(stack: Running) -> None:
    """A third party without a grant is refused; with one, it encrypts and the EC2 role decrypts."""
    with _refused():
        _encrypt(stack, "other_partner")
    request = stack.granted("other_partner")
    blob = _encrypt(stack, "other_partner", GrantTokens=[request["grant"]["grant_token"]])
    reader = stack.aws("data_reader", "kms")
    shown = reader.decrypt(KeyId=stack.key, CiphertextBlob=blob, EncryptionContext=CONTEXT)
    assert shown["Plaintext"] == b"1"
    stack.call("other_partner", "DELETE", f"/requests/{request['id']}/grant")
    stack.until("released", request, "other_partner")
    with _refused():
        _encrypt(stack, "other_partner")
    with _refused():
        _encrypt(stack, "other_partner", GrantTokens=[request["grant"]["grant_token"]])


def test_within_the_grant_only(stack: Running) -> None:
    """Another context, another operation and another principal of the same account are refused."""
    stack.granted(encryption_context={"a": "1", "b": "2"})
    _encrypt(stack, "partner", {"b": "2", "a": "1"})
    for other in ({}, {"a": "1"}, {"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "3"}):
        with _refused():
            _encrypt(stack, "partner", other)
    blob = _encrypt(stack, "partner", {"a": "1", "b": "2"})
    with _refused():
        stack.aws("partner", "kms").decrypt(
            KeyId=stack.key, CiphertextBlob=blob, EncryptionContext={"a": "1", "b": "2"}
        )
    with _refused():
        stack.aws("partner", "kms").generate_data_key(
            KeyId=stack.key, KeySpec="AES_256", EncryptionContext={"a": "1", "b": "2"}
        )
    with _refused():
        _encrypt(stack, "partner_colleague", {"a": "1", "b": "2"})


def test_subset_grant(stack: Running) -> None:
    """A grant that matches a subset lets every context through that holds the agreed pairs."""
    stack.granted(encryption_context={"s": "1"}, context_match="subset")
    _encrypt(stack, "partner", {"s": "1", "more": "2"})
    with _refused():
        _encrypt(stack, "partner", {"more": "2"})


@pytest.mark.parametrize("person", ["key_admin", "alice", "outsider", "partner_colleague"])
def test_cannot_use_the_key(stack: Running, person: str) -> None:
    """Administrators, the security team and strangers cannot use the key."""
    with _refused():
        _encrypt(stack, person)


@pytest.mark.parametrize(
    ("function", "changes"),
    [
        ("requests", {"Operations": ["Decrypt"]}),
        ("requests", {"Operations": ["Encrypt", "CreateGrant"]}),
        ("requests", {"Constraints": None}),
        ("requests", {"RetiringPrincipal": None}),
        ("requests", {"RetiringPrincipal": "arn:aws:iam::444455556666:role/partner-application"}),
        ("requests", {"GranteePrincipal": "arn:aws:iam::777788889999:role/outsider"}),
        ("requests", {"GranteePrincipal": "arn:aws:iam::444455556666:root"}),
        ("approvals", {}),
        ("expiry", {}),
        ("reconcile", {}),
        ("events", {}),
    ],
)
def test_taken_over_function(stack: Running, function: str, changes: dict[str, Any]) -> None:
    """Whoever has a function's credentials gets no grant outside its fence; others get none at all."""
    fine = {
        "KeyId": stack.key, "GranteePrincipal": stack.grantee("partner"), "Operations": ["Encrypt"],
        "RetiringPrincipal": stack.role("expiry"), "Constraints": {"EncryptionContextEquals": CONTEXT},
        "DryRun": True,
    }  # fmt: skip
    with _refused("DryRunOperationException"):
        stack.aws("functions.requests", "kms").create_grant(**fine)
    asked = {name: value for name, value in {**fine, **changes}.items() if value is not None}
    with _refused():
        stack.aws(f"functions.{function}", "kms").create_grant(**asked)


def test_aws_checks_signatures(stack: Running) -> None:
    """The AWS endpoint refuses a wrong secret, a key id that nobody has and an unsigned call."""
    who = stack.credentials("data_reader")
    for forged in (
        {**vars(who), "secret_access_key": "guessed"},
        {**vars(who), "access_key_id": "ASIANOBODY"},
        {**vars(who), "session_token": "another"},
    ):
        with pytest.raises(ClientError) as error:
            stack.aws_as(Credentials(**forged), "kms").describe_key(KeyId=stack.key)
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 403}
    bare = send("POST", stack.ready["aws_url"] + "/", {"X-Amz-Target": "TrentService.DescribeKey"}, b"{}")
    assert bare.status in {400, 403}
    assert "KeyMetadata" not in json.dumps(bare.body)


def test_api_checks_signatures(stack: Running) -> None:
    """The API refuses a wrong secret, a signature for another service or Region, and an unsigned call."""
    who, url, region = stack.credentials("partner"), stack.ready["api_url"], stack.ready["region"]
    forged = Credentials(**{**vars(who), "secret_access_key": "guessed"})
    answers = [
        Client(url, region, forged).call("GET", "/keys"),
        Client(url, "us-east-1", who).call("GET", "/keys"),
        Client(url, region, who, service="kms").call("GET", "/keys"),
        send("GET", f"{url}/keys", {}, b""),
        stack.call("outsider", "GET", "/keys"),
        stack.call("partner", "GET", "/nothing"),
        stack.call("partner", "PUT", "/keys"),
    ]
    assert [(answer.status, answer.body["code"]) for answer in answers] == [(403, "not_permitted")] * len(
        answers
    )


def _boto3(stack: Running) -> dict[str, Any]:
    return dict(stack.aws("data_reader", "sts").get_caller_identity())


def _command_line(stack: Running) -> dict[str, Any]:
    who = stack.credentials("data_reader")
    environment = {
        "PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": who.access_key_id, "AWS_CONFIG_FILE": os.devnull,
        "AWS_SECRET_ACCESS_KEY": who.secret_access_key, "AWS_SESSION_TOKEN": who.session_token,
        "AWS_ENDPOINT_URL": stack.ready["aws_url"], "AWS_DEFAULT_REGION": stack.ready["region"],
    }  # fmt: skip
    command = ["aws", "sts", "get-caller-identity", "--output", "json"]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)  # noqa: S603
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# The command line is tried where it is installed: it is no dependency of the project.
@pytest.mark.parametrize("ask", [_boto3, *([_command_line] if shutil.which("aws") else [])])
def test_plain_client(stack: Running, ask: Any) -> None:
    """A client that knows nothing but the endpoint and its credentials is told who it is."""
    found = ask(stack)
    assert (found["Account"], found["Arn"]) == ("111122223333", stack.credentials("data_reader").arn)
