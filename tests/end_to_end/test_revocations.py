"""The kill switch over signed HTTP and by its commands, on a running stack."""

from typing import Any

import pytest

from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running

THEIRS = "666677778888"


@pytest.fixture
def line(stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(stack, monkeypatch, capsys)


def _granted(stack: Running, dataset: str) -> dict[str, Any]:
    return stack.granted("other_partner", encryption_context={"dataset": dataset})


def _listed(stack: Running, status: str) -> list[dict[str, Any]]:
    query = f"/requests?limit=100&status={status}"
    found: list[dict[str, Any]] = stack.call("other_partner", "GET", query).body["items"]
    return found


def test_an_accounts_grants_end_at_once_and_none_comes_after_them(stack: Running, line: CommandLine) -> None:
    """All of them end at KMS; others live on; lifted, it may ask again."""
    mine = stack.granted(encryption_context={"dataset": "mine"})
    live = [_granted(stack, name) for name in ("a", "b", "c")]
    waiting = stack.call("other_partner", "POST", "/requests", stack.submission("other_partner")).body
    # Of other tests, which share the stack.
    more = sum(len(_listed(stack, status)) for status in ("pending", "approved", "active")) - 4
    asked = {"account": THEIRS, "reason": "their keys leaked"}
    made = stack.call("bob", "POST", "/security/revocations", asked)
    try:
        assert (made.status, made.body["matched"]) == (202, 4 + more)
        for request in (*live, waiting):
            stack.until("revoked", request, "other_partner")
        ids = {grant["GrantId"] for grant in stack.aws("root", "kms").list_grants(KeyId=stack.key)["Grants"]}
        assert not ids & {request["grant"]["grant_id"] for request in live}
        assert mine["grant"]["grant_id"] in ids
        refused = stack.call("other_partner", "POST", "/requests", stack.submission("other_partner"))
        assert (refused.status, "for this account" in refused.body["detail"]) == (403, True)
        ask = ("request", "--key", "partner_data", "--context", "a=b", "--duration", "1h", "--reason", "x")
        told = line.run("other_partner", *ask)
        assert (told.code, "Next: ask the security team" in told.err, "compare" in told.err) == (
            3,
            True,
            False,
        )
        shown = line.run("alice", "revocations", "show", made.body["id"], "--output", "json").json
        assert (shown["matched"], shown["ended"], shown["left"]) == (4 + more, 4 + more, 0)
    finally:
        lifted = line.run("alice", "revocations", "lift", made.body["id"], "--yes")
    assert lifted.code == 0, lifted.err
    again = stack.call("other_partner", "POST", "/requests", stack.submission("other_partner"))
    assert again.status == 201


def test_by_command(stack: Running, line: CommandLine) -> None:
    """`create` says what it will do, waits if so asked, and shows what came of it; `list` shows all."""
    granted = _granted(stack, "by-command")
    words = ("revocations", "create", "--account", THEIRS, "--key", "partner_data", "--reason", "drill")
    done = line.run("bob", *words, "--block-for", "1s", "--wait", "--yes")
    assert done.code == 0, done.err
    stack.until("revoked", granted, "other_partner")
    assert THEIRS in line.run("bob", "revocations").out
    assert line.run("bob", *words, "--block-for", "1s", "--yes").code == 0
    assert line.run("bob", *words[:2], "--reason", "nothing selected", "--yes").code == 2
    assert line.run("partner", *words, "--yes").code == 3
    shown = line.run("bob", "revocations", "list", "--output", "json").json
    assert shown[0]["reason"] == "drill"
