"""Why KMS refuses, over signed HTTP and on the command line, with refusals that the stack really gives."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running

PAIRS = {"dataset": "why"}


@pytest.fixture
def line(stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(stack, monkeypatch, capsys)


@pytest.fixture
def request_id(stack: Running) -> str:
    """A request with its grant."""
    body = {
        "key": "partner_data", "grantee": stack.grantee("partner"), "operations": ["Encrypt"],
        "encryption_context": PAIRS, "duration": "PT1H", "reason": "why",
    }  # fmt: skip
    made = stack.call("partner", "POST", "/requests", body)
    found = str(made.body["id"])
    stack.call("alice", "POST", f"/security/requests/{found}/decision", {"verdict": "approve"})
    assert stack.call("partner", "POST", f"/requests/{found}/grant").status == 201
    return found


def refusal(stack: Running, person: str = "partner", **changes: Any) -> str:
    """The text of the error with which an Encrypt ends."""
    call: dict[str, Any] = {"KeyId": stack.key, "Plaintext": b"x", "EncryptionContext": PAIRS}
    with pytest.raises(ClientError) as found:
        stack.aws(person, "kms").encrypt(**(call | changes))
    return str(found.value)


def test_over_http(stack: Running, request_id: str) -> None:
    """Both sides answer with the true cause; who is no party, or of another account, hears that."""
    wrong = {"dataset": "Why"}
    error = refusal(stack, EncryptionContext=wrong)
    body = {"action": "Encrypt", "context": wrong, "error": error}
    for person, path in (
        ("partner", f"/requests/{request_id}/why"),
        ("alice", f"/security/requests/{request_id}/why"),
    ):
        answer = stack.call(person, "POST", path, body)
        assert (answer.status, answer.body["verdict"]) == (200, "context_differs")
        assert answer.body["because"].endswith('"dataset" is "why" and not "Why": case counts.')
        assert answer.body["next"] == 'Send exactly {"dataset": "why"}.'
    others = ("partner_colleague", "other_partner")
    asked = [stack.call(person, "POST", f"/requests/{request_id}/why", body).status for person in others]
    assert asked == [403, 404]


def test_command(stack: Running, line: CommandLine, request_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command reads AWS's own words, from the standard input or a file, and says what to do."""
    error = refusal(stack, "partner_colleague")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"\n{error}\n"))
    told = line.run("partner", "why", request_id, "--error", "-", "--context", "dataset=why")
    assert (told.code, told.fields["verdict"]) == (0, "another principal")
    assert told.fields["next"] == f"Call with the credentials of {stack.grantee('partner')}."
    right = ("--action", "Encrypt", "--context", "dataset=why")
    assert line.json("partner", "why", request_id, *right)["verdict"] == "allowed"
    assert line.json("alice", "why", request_id, *right, "--whole-policy")["verdict"] == "allowed"
    more = ("--principal", stack.grantee("other_partner"), "--at", "2020-01-01T00:00:00Z", "--size", "4097")
    assert line.json("partner", "why", request_id, *right, *more)["verdict"] == "too_large"
    untold = line.json("partner", "why", request_id, "--action", "Encrypt")
    assert untold["verdict"] == "context_not_told"
    assert untold["next"].startswith('Send exactly {"dataset": "why"}; or tell what was sent')
    assert line.json("alice", "why", request_id, "--action", "Encrypt", "--whole-policy") == untold
    none = line.json("partner", "why", request_id, "--action", "Encrypt", "--no-context")
    assert none["verdict"] == "context_differs"
    both = line.run("partner", "why", request_id, *right, "--no-context")
    assert (both.code, "give --context or --no-context" in both.err) == (2, True)
    missing = line.run("partner", "why", request_id)
    assert (missing.code, "give --action" in missing.err) == (2, True)
    monkeypatch.setattr("sys.stdin", io.StringIO("it says no"))
    assert line.run("partner", "why", request_id, "--error", "-").code == 2
    others = line.run("other_partner", "why", request_id, *right)
    assert (others.code, "Next: " in others.err) == (3, True)


def test_after_its_end(stack: Running, line: CommandLine, request_id: str) -> None:
    """After its release the refusal is explained by the end."""
    assert line.run("partner", "release", request_id).code == 0
    stack.until("released", {"id": request_id})
    told = line.json("partner", "why", request_id, "--action", "Encrypt", "--context", "dataset=why")
    assert told["verdict"] == "ended"
