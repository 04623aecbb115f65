"""Break-glass over signed HTTP and on the command line, and the review that it owes."""

import pytest

from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running
from tests.support.limits import break_glass, limits


@pytest.fixture
def line(stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(stack, monkeypatch, capsys)


@pytest.fixture
def key(stack: Running) -> str:
    """The ARN of a key whose break-glass names the partner's application, once a day."""
    admin = stack.aws("key_admin", "kms")
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    arn = str(admin.create_key(Policy=policy)["KeyMetadata"]["Arn"])
    rules = break_glass(stack.grantee("partner"), per_day=1, max_duration="PT5M")
    key_id = arn.rpartition("/")[2]
    document = limits(name=f"emergency_{key_id[:8]}", break_glass=rules)
    assert stack.call("alice", "PUT", f"/security/keys/{key_id}", document).status == 201
    return arn


def test_an_emergency(stack: Running, line: CommandLine, key: str) -> None:
    """Nobody is there to approve: whom the key names encrypts at once, once a day; others review it."""
    kms = stack.aws("partner", "kms")
    request, second = (
        stack.call("partner", "POST", "/requests", stack.submission(key=key)).body for _ in range(2)
    )
    path = f"/requests/{request['id']}/break-glass"
    assert stack.call("partner_colleague", "POST", path, {"reason": "x"}).status == 403
    line.run("partner", "break-glass", request["id"], "--reason", "the store is down", "--yes")
    grant = stack.call("partner", "GET", f"/requests/{request['id']}").body
    assert (grant["status"], grant["duration"]) == ("active", "PT5M")
    given = {"KeyId": key, "EncryptionContext": grant["encryption_context"]}
    token = [grant["grant"]["grant_token"]]
    sealed = kms.encrypt(**given, Plaintext=b"x", GrantTokens=token)["CiphertextBlob"]
    with pytest.raises(kms.exceptions.ClientError, match="AccessDenied"):
        kms.decrypt(**given, CiphertextBlob=sealed, GrantTokens=token)
    again = stack.call("partner", "POST", f"/requests/{second['id']}/break-glass", {"reason": "x"})
    assert (again.status, again.body["code"]) == (409, "conflict")
    listed = line.run("alice", "reviews")
    assert request["id"] in listed.out
    assert "the store is down" in line.run("alice", "show", request["id"]).out
    signed = line.run("alice", "reviews", "sign-off", "break-glass", request["id"], "--comment", "it was")
    assert "signed off" in signed.out
    assert request["id"] not in line.run("alice", "reviews").out
    stack.call("partner", "DELETE", f"/requests/{request['id']}/grant")
    stack.until("released", request)
    with pytest.raises(kms.exceptions.ClientError, match="AccessDenied"):
        kms.encrypt(**given, Plaintext=b"x")
