"""The use of a grant as it is told over signed HTTP: by CloudTrail's events, and by what KMS keeps."""

import time
from typing import Any

import pytest

from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running

CONTEXT = {"dataset": "used"}


@pytest.fixture
def line(stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Runs the commands as any person of the scenario."""
    return CommandLine(stack, monkeypatch, capsys)


def told(stack: Running, who: str, path: str) -> Any:
    """What is said of its use."""
    return stack.call(who, "GET", path).body["usage"]


def test_seen_used(stack: Running, line: CommandLine) -> None:
    """Once the grantee has encrypted, its request, the list, the access report and `status` say so."""
    made = stack.granted(encryption_context=CONTEXT, duration="PT1M")
    path = f"/requests/{made['id']}"
    assert told(stack, "partner", path) == {
        "seen": False, "certain": False, "first_seen_at": None, "last_seen_at": None, "count_at_least": 0,
    }  # fmt: skip
    assert "never seen used (delivery is best effort" in line.run("partner", "status", made["id"]).out
    stack.aws("partner", "kms").encrypt(KeyId=stack.key, Plaintext=b"order", EncryptionContext=CONTEXT)
    until = time.monotonic() + 15
    while not told(stack, "partner", path)["seen"] and time.monotonic() < until:
        time.sleep(0.1)
    found = told(stack, "alice", f"/security{path}")
    assert (found["seen"], found["certain"], found["count_at_least"]) == (True, True, 1)
    listed = stack.call("partner", "GET", "/requests").body["items"]
    assert [item["usage"] for item in listed if item["id"] == made["id"]] == [found]
    assert "last seen" in line.run("partner", "status", made["id"]).out
    looked = stack.call("alice", "GET", f"/security{path}").body["key_last_used"]
    assert looked["operation"] is not None
    key_id = stack.key.rpartition("/")[2]
    items = stack.call("alice", "GET", f"/security/keys/{key_id}/access").body["items"]
    [granted] = [item for item in items if item["through"].get("request_id") == made["id"]]
    assert granted["usage"] == found
    assert stack.call("partner", "DELETE", f"{path}/grant").status == 202
