"""A requester's text and a grant's token: the one is data wherever it goes, the other goes nowhere."""

import io
import json
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from grant_broker.client.commands import audit
from grant_broker.client.main import main
from grant_broker.domain.mail import compose_digest
from grant_broker.domain.notices import notice_of
from tests.local_aws.answers import Response
from tests.support.faults import GoOn
from tests.support.scene import InProcessStack

# Each is taken: none holds a character that is forbidden. None may become more than a text.
FORMULAS = (
    "=cmd|' /C calc'!A0", '@SUM(1,2)","x', "+1-2;3", "-2+3", '{"level":"ERROR","message":"forged"}',
    "a,b;c|d",
    "${jndi:ldap://127.0.0.1/a}", "{{7*7}}", "<script>alert(1)</script>", "%0a%0dforged", "\\n\\r\\u000a",
    "https://example.com/approve", "\u0430dministrator", "\U0001f469\U0001f4bb",
)  # fmt: skip


@pytest.fixture
def logs(scene: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The lines that the functions logged so far."""
    stream = io.StringIO()
    handlers = {
        id(handler): handler
        for function in ("requests", "approvals", "expiry")
        for handler in scene.brokers.handler(function).logger.handlers
        if isinstance(handler, logging.StreamHandler)
    }
    for handler in handlers.values():
        # Not setStream, which flushes the stream before: an earlier test's, closed since.
        monkeypatch.setattr(handler, "stream", stream)
    return lambda: stream.getvalue().splitlines()


@pytest.fixture
def exported(
    scene: InProcessStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[], list[str]]:
    """What `grant-broker audit export` prints, by lines as the terminal counts them."""
    monkeypatch.setattr(audit, "clients", lambda: SimpleNamespace(dynamodb=lambda: scene.tables))
    tables = (scene.deployment.request_table, scene.deployment.approval_table)

    def lines() -> list[str]:
        capsys.readouterr()
        assert main(["audit", "export", "--request-table", tables[0], "--approval-table", tables[1]]) == 0
        return capsys.readouterr().out.splitlines()

    return lines


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_stays_a_text_in_the_export(
    scene: InProcessStack, exported: Callable[[], list[str]], text: str
) -> None:
    """The audit export is one ASCII JSON object a line, whatever a reason says: no cell, no line."""
    before = len(exported())
    visible = text.replace("\u200d", "")  # in prose alone
    scene.pending(reason=text, ticket=visible, encryption_context={"tenant": visible})
    lines = exported()
    assert len(lines) == before + 2
    read = [json.loads(line) for line in lines]
    [submitted] = [line["event"] for line in read if line.get("event", {}).get("type") == "submitted"]
    assert submitted["detail"]["reason"] == text
    assert all(line.isascii() and line.startswith('{"') for line in lines)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_stays_a_text_in_mails(scene: InProcessStack, text: str) -> None:
    """A mail quotes what the requester wrote: one line, ASCII, no working link, and says so."""
    request_id = scene.pending(reason=text)
    [event] = scene.brokers.broker("approvals").store.get_trail(f"request#{request_id}")
    notice = notice_of(event)
    assert notice is not None
    mail = compose_digest([notice])
    assert mail.message.isascii()
    assert "https://" not in mail.message
    assert "written by others" in mail.message
    assert text not in mail.subject


def test_what_breaks_lines_never_gets_in(scene: InProcessStack) -> None:
    """Control characters, line separators and bidirectional marks are refused in every text."""
    for text in ("a\nb", "a\r\nb", "a\u2028b", "a\u0085b", "a\x1b[2Jb", "a\u202eb", "a\x00b"):
        for field in ("reason", "ticket"):
            answer = scene.submit(**{field: text})
            assert (answer.status, answer.body["errors"][0]["field"]) == (400, field)
        answer = scene.submit(encryption_context={"tenant": text})
        assert (answer.status, answer.body["errors"][0]["field"]) == (400, "encryption_context")


def test_a_forged_log_line_stays_inside_its_own(scene: InProcessStack, logs: Callable[[], list[str]]) -> None:
    """What is logged of an unexpected error is one JSON object a line; the caller is told nothing of it."""

    def raising(_go_on: GoOn) -> Response:
        raise RuntimeError('secret table\n{"level":"INFO","message":"forged"}\r\n')

    with scene.faults({"dynamodb": raising}):
        answer = scene.submit()
    assert answer.status == 503
    assert "secret" not in json.dumps(answer.body)
    read = [json.loads(line) for line in logs()]
    assert [line["level"] for line in read if "forged" in json.dumps(line)] == ["ERROR"]
    assert not [line for line in read if line.get("message") == "forged"]


def test_a_grant_token_is_told_to_its_parties_and_nowhere_else(
    scene: InProcessStack, logs: Callable[[], list[str]], exported: Callable[[], list[str]]
) -> None:
    """Not in lists, under /security, in events, export, mails or logs; and not once the grant has ended."""
    request_id = scene.active()
    own = scene.call("partner", "GET", f"/requests/{request_id}").body
    token = own["grant"]["grant_token"]
    assert token
    store = scene.brokers.broker("approvals").store
    notices = [notice_of(event) for event in store.get_trail(f"request#{request_id}")]
    elsewhere: list[Any] = [
        scene.call("partner", "GET", "/requests").body,
        scene.call("partner_colleague", "GET", f"/requests/{request_id}").body,
        scene.call("alice", "GET", "/security/requests").body,
        scene.call("alice", "GET", f"/security/requests/{request_id}").body,
        scene.call("alice", "GET", "/security/events").body,
        scene.call("partner", "POST", "/requests", {"grant_token": token}).body,
        compose_digest([notice for notice in notices if notice]).message,
        exported(),
    ]
    elsewhere.append(scene.release(request_id).body)
    scene.expire()
    elsewhere += [scene.call("partner", "GET", f"/requests/{request_id}").body, logs()]
    assert token not in json.dumps(elsewhere)
