"""A third party's commands against the stack, and what each says when it cannot."""

import base64
import io
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from grant_broker.client import ConflictError
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running
from tests.end_to_end.shell import environment
from tests.support.scripted_api import Reply, problem, scripted_api
from tests.support.shown_requests import shown

_WHY = ("--reason", "upload")
ASK = ("request", "--key", "partner_data", "--context", "dataset=commands", "--duration", "2h", *_WHY)


@pytest.fixture
def line(stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(stack, monkeypatch, capsys)


def approve(line: CommandLine, stack: Running, duration: str | None = "PT1H") -> None:
    """Have alice approve whatever waits of the third party, wherever a command would sleep."""

    def approve_all(_seconds: float) -> None:
        path = "/security/requests"
        for each in stack.call("alice", "GET", path, query={"status": "pending"}).body["items"]:
            with suppress(ConflictError):
                vote = {"verdict": "approve", "comment": "", "duration": duration}
                stack.call("alice", "POST", f"{path}/{each['id']}/decision", vote)

    line.asleep(approve_all)


def test_the_story(stack: Running, line: CommandLine, tmp_path: Path) -> None:
    """Find the key, ask and wait, encrypt, release: four commands; the EC2 role reads the file."""
    approve(line, stack)
    assert "partner_data" in line.run("partner", "keys").out
    asked = line.run("partner", *ASK, "--wait")
    assert (asked.code, asked.err.startswith("asked: ")) == (0, True)
    assert asked.fields["duration"] == "PT1H of PT2H asked for"
    request_id = asked.err.split()[1]
    (tmp_path / "plain").write_bytes(b"orders\x00\xff")
    out = tmp_path / "cipher"
    done = line.run("partner", "encrypt", request_id, str(tmp_path / "plain"), "--out", str(out))
    assert (done.code, done.out) == (0, "")
    reader = stack.aws("data_reader", "kms")
    read = reader.decrypt(CiphertextBlob=out.read_bytes(), EncryptionContext={"dataset": "commands"})
    assert read["Plaintext"] == b"orders\x00\xff"
    released = line.run("partner", "release", request_id)
    assert (released.code, "ending" in released.out) == (0, True)
    stack.until("released", {"id": request_id})
    again = line.run("partner", "encrypt", request_id, str(tmp_path / "plain"))
    assert again.code == 1
    assert f"request {request_id} is released: " in again.err
    assert again.err.endswith("Next: ask for another with grant-broker request\n")


def test_extending(stack: Running, line: CommandLine) -> None:
    """`extend ID --for` asks with the reason of the request, waits, and both are shown to belong together."""
    approve(line, stack, duration=None)
    old = line.run("partner", *ASK, "--wait").err.split()[1]
    extended = line.run("partner", "extend", old, "--for", "3h", "--wait")
    assert (extended.code, extended.err.startswith("asked: ")) == (0, True)
    new = extended.err.split()[1]
    shown_ = {name: extended.fields[name] for name in ("status", "extends", "reason")}
    assert shown_ == {"status": "active", "extends": old, "reason": "upload"}
    [row] = [row for row in line.run("partner", "status").out.splitlines() if row.startswith(new)]
    assert row.endswith(old)
    waiting = line.json("partner", "extend", new, "--for", "4h", "--reason", "more")
    assert (waiting["status"], waiting["extends"], waiting["reason"]) == ("pending", new, "more")
    assert f"partner_data, extending {new}" in line.run("alice", "queue").out
    for each in (waiting["id"], new, old):
        assert line.run("partner", "release", each).code == 0
    ended = line.run("partner", "extend", old, "--for", "3h")
    assert (ended.code, "only an active one can be extended" in ended.err) == (3, True)


def test_step_by_step(stack: Running, line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step by itself, as JSON: the same objects as the API's."""
    assert line.json("partner", "keys", "list")[0]["name"]
    larger = ("--operations", "Encrypt, GenerateDataKey", "--match", "subset")
    forecast = line.json("partner", *ASK, "--dry-run", *larger)
    assert forecast["outcome"] == "wait_for_approval"
    assert line.run("partner", *ASK, "--dry-run").fields["outcome"] == "wait_for_approval"
    refused = line.run("partner", *ASK, "--dry-run", "--duration", "9h")
    assert (refused.code, refused.fields["outcome"], refused.err) == (3, "refuse", "")
    asked = line.json("partner", *ASK, "--grantee", stack.grantee("partner"), "--ticket", "T-1")
    assert (asked["status"], asked["ticket"]) == ("pending", "T-1")
    assert "wait" in line.run("partner", "status", asked["id"]).out
    assert asked["id"] in {each["id"] for each in line.json("partner", "status", "--status", "pending")}
    assert line.run("partner", "status", asked["id"]).fields["key"] == f"partner_data {stack.key}"
    [row] = [row for row in line.run("partner", "status").out.splitlines() if row.startswith(asked["id"])]
    assert row.split()[2] == "partner_data"
    approve(line, stack)
    assert line.json("partner", "wait", asked["id"])["status"] == "approved"
    assert "take-up" in line.run("partner", "wait", asked["id"]).out
    assert line.json("partner", "take-up", asked["id"])["status"] == "active"
    assert "grant token" in line.run("partner", "take-up", asked["id"]).out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"orders")))
    sent = line.json("partner", "encrypt", asked["id"])
    assert base64.b64decode(sent["ciphertext"])
    assert sent["key"] == stack.key
    assert line.json("partner", "release", asked["id"])["status"] in {"ending", "released"}
    other = line.json("partner", *ASK)
    assert line.json("partner", "release", other["id"])["status"] == "withdrawn"
    over = line.run("partner", "wait", other["id"])
    assert (over.code, "is withdrawn" in over.err) == (1, True)


def test_anything_else(line: CommandLine, tmp_path: Path) -> None:
    """`call` sends any call with a body given or in a file, and prints the answer."""
    assert line.run("partner", "call", "GET", "requests?limit=1").json["items"] is not None
    body = tmp_path / "body.json"
    body.write_text('{"reason": "x"}')
    for given in (f"@{body}", '{"reason": "x"}'):
        refused = line.run("partner", "call", "POST", "/requests", given)
        assert (refused.code, "operations: missing" in refused.err) == (3, True)
    for wrong in ("{", f"@{tmp_path}/none"):
        assert line.run("partner", "call", "POST", "/requests", wrong).code == 2


def test_ctrl_c_leaves_it(stack: Running, line: CommandLine) -> None:
    """Who stops waiting is told that the request stays, and how to go on."""
    line.asleep(mock.Mock(side_effect=KeyboardInterrupt))
    stopped = line.run("partner", *ASK, "--wait")
    request_id = stopped.err.split()[1]
    assert stopped.code == 130
    assert f"the request stays as it is. Next: grant-broker wait {request_id}" in stopped.err
    assert stack.call("partner", "GET", f"/requests/{request_id}").body["status"] == "pending"


def test_a_real_ctrl_c(stack: Running) -> None:
    """A process that waits ends by SIGINT with 130 and without a traceback; its request stays pending."""
    # Whoever runs the tests in the background of a script has SIGINT ignored, and so would this process.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heeding}; import sys; from grant_broker.client.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, *ASK, "--wait"]
    shell = environment(stack, "partner")
    with subprocess.Popen(command, env=shell, stderr=subprocess.PIPE, text=True) as waiting:  # noqa: S603
        assert waiting.stderr is not None
        request_id = waiting.stderr.readline().split()[1]
        waiting.send_signal(signal.SIGINT)
        told = waiting.stderr.read()
    assert (waiting.returncode, "Traceback" in told) == (130, False)
    assert stack.call("partner", "GET", f"/requests/{request_id}").body["status"] == "pending"


def test_time_over(line: CommandLine) -> None:
    """Who waits for a while only is told what is still to happen: exit code 4, the same again is safe."""
    asked = line.json("partner", *ASK)
    waited = line.run("partner", "wait", asked["id"], "--timeout", "0s")
    assert (waited.code, "is still pending after 0 s. Next: wait longer" in waited.err) == (4, True)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("status", "0" * 32), 3, "Next: list what there is with `grant-broker status`"),
        (("take-up", "0" * 32), 3, "Next: list what there is"),
        (("release", "0" * 32), 3, "Next: list what there is"),
        (("wait", "0" * 32), 3, "Next: list what there is"),
        ((*ASK[:-2], "--reason", ""), 3, "grant-broker: reason: "),
        ((*ASK, "--duration", "9h"), 3, "on this key. Next: mend what is named; `grant-broker keys` says"),
        ((*ASK, "--context", "x"), 2, "'x': give a pair as NAME=VALUE"),
        ((*ASK, "--duration", "0h"), 2, "'--duration': give a duration of a second or more, such as 2h"),
        ((*ASK, "--timeout", "soon"), 2, "'soon': give a duration such as 2h"),
        (("keys", "--profile", "nobody"), 3, "(nobody) could not be found. Next: check --profile"),
        (("keys", "--endpoint-url", "http://127.0.0.1:1"), 4, "does not answer: check --endpoint-url"),
        (("request",), 2, "Missing option '--key'"),
    ],
)
def test_refused(line: CommandLine, words: tuple[str, ...], code: int, told: str) -> None:
    """What cannot be done is one line with the next step, and an exit code of its kind."""
    line.asleep(lambda _: None)
    done = line.run("partner", *words)
    assert (done.code, done.out) == (code, "")
    assert told in done.err


def test_no_right(stack: Running, line: CommandLine) -> None:
    """An account that is not trusted, and a colleague who is no party, are told who may."""
    done = line.run("outsider", "keys")
    assert (done.code, "Next: compare who calls (aws sts get-caller-identity)" in done.err) == (3, True)
    request = stack.granted()
    taken = line.run("partner_colleague", "take-up", request["id"])
    assert taken.code == 3
    # The colleague sees the request, without its token, and KMS refuses the call.
    refused = line.run("partner_colleague", "encrypt", request["id"], __file__)
    assert (refused.code, "KMS encrypts at most 4,096 bytes" in refused.err) == (3, True)


@pytest.mark.parametrize("status", ["pending", "approved"])
def test_not_taken_up_yet(stack: Running, line: CommandLine, tmp_path: Path, status: str) -> None:
    """What has no grant yet is not called over: the next step is the waiting and taking up."""
    request = stack.call("partner", "POST", "/requests", stack.submission()).body
    if status == "approved":
        vote = {"verdict": "approve", "comment": ""}
        stack.call("alice", "POST", f"/security/requests/{request['id']}/decision", vote)
    (tmp_path / "plain").write_bytes(b"x")
    refused = line.run("partner", "encrypt", request["id"], str(tmp_path / "plain"))
    assert line.run("partner", "release", request["id"]).code == 0
    assert (refused.code, refused.out) == (3, "")
    told = f"is {status}, and has no grant yet. Next: grant-broker wait {request['id']} --take-up"
    assert told in refused.err


def test_kms_refuses(stack: Running, line: CommandLine, tmp_path: Path) -> None:
    """Who is shown the request and does not hold the grant is refused by KMS, and told where to look."""
    request = stack.granted()
    (tmp_path / "plain").write_bytes(b"x")
    refused = line.run("partner_colleague", "encrypt", request["id"], str(tmp_path / "plain"))
    assert (refused.code, "AccessDeniedException" in refused.err) == (3, True)
    assert "Next: ask why with `grant-broker why ID`" in refused.err


def test_credentials_that_are_over(line: CommandLine) -> None:
    """Credentials that AWS does not take any more are told, with what to do."""
    with mock.patch.object(Running, "credentials") as found:
        found.return_value = mock.Mock(access_key_id="ASIAOVER", secret_access_key="s", session_token="t")
        over = line.run("partner", "keys")
        asked = line.run("partner", *ASK)
    assert (over.code, "the signature does not match the call" in over.err) == (3, True)
    assert (asked.code, "STS does not say who calls" in asked.err) == (3, True)


@pytest.mark.parametrize("fault", [problem(429, "too_many_requests"), problem(503, "unavailable")])
def test_then_it_works(line: CommandLine, fault: Reply) -> None:
    """Throttled, or not answered at first: the command asks again by itself."""
    line.asleep(lambda _: None)
    request: Any = shown()
    offers: Reply = (200, {"items": [{"name": "orders", "key_arn": request["key"]}], "cursor": None}, {})
    with scripted_api(fault, fault, (200, request, {}), offers) as api:
        done = line.run("partner", "status", request["id"], "--endpoint-url", api.url)
    assert (done.code, done.fields["grant token"] == "token-1", len(api.seen)) == (0, True, 4)
    assert done.fields["key"] == f"orders {request['key']}"


def test_names_are_not_needed(line: CommandLine) -> None:
    """Where nobody says what a key is called its ARN is shown, and the command has done its work."""
    request: Any = shown()
    with scripted_api((200, request, {}), problem(403, "not_permitted")) as api:
        done = line.run("partner", "status", request["id"], "--endpoint-url", api.url)
    assert (done.code, done.err, done.fields["key"]) == (0, "", request["key"])


def test_closed_pipe(line: CommandLine, stack: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads the output may stop: the command ends without a word."""
    stack.call("partner", "POST", "/requests", stack.submission())
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        done = line.run("partner", "status", "--output", "json")
    assert (done.code, done.err) == (141, "")
