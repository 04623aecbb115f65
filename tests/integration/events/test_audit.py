"""The audit trail as a whole: pages, exports and the command that verifies them."""

import argparse
import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grant_broker.api.views import event_view
from grant_broker.aws.store import Store
from grant_broker.client.commands import audit as command
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.trail import Event
from grant_broker.events import trail as audit
from tests.support.records import NOW, Scene, before_intent, key


def write(scene: Scene, count: int = 3, request_id: str = "a" * 32) -> list[Event]:
    """A request with this many events, a minute apart."""
    record = before_intent(Status.PENDING, id=request_id, version=0)
    for number in range(count):
        change = record.recorded(
            "noted",
            at=NOW + timedelta(minutes=number),
            by="alice",
            event_id=f"e{number}",
            detail={"x": "ä\n"},
        )
        scene.store.commit(change)
        record = record.model_copy(update=dict(change.record))
    return scene.events(f"request#{request_id}")


def main(*arguments: str) -> int:
    """The subcommand as the command line calls it."""
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(arguments))


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch, scene: Scene) -> None:
    """The command talks to the tables of the scene."""
    monkeypatch.setattr(command, "clients", lambda: SimpleNamespace(dynamodb=lambda: scene.client))


def test_pages(scene: Scene) -> None:
    """Events come oldest first, page by page, from a time on, without loss or repeat."""
    mixed = sorted([*write(scene), *write(scene, request_id="b" * 32)], key=audit.place)
    first = audit.events_since(scene.broker, since=NOW, limit=4)
    rest = audit.events_since(scene.broker, since=NOW, limit=4, after=first.after)
    assert (first.events + rest.events, rest.after) == (mixed, None)
    later = audit.events_since(scene.broker, since=NOW + timedelta(seconds=61), limit=10)
    assert later.events == mixed[4:]
    assert audit.events_since(scene.broker, since=None, limit=10).events == mixed


def test_shown(scene: Scene) -> None:
    """The API shows an event's own fields and its hash."""
    shown = event_view(write(scene)[0])
    assert set(shown) == {"id", "at", "type", "request_id", "by", "detail", "hash"}
    assert shown["request_id"] == "a" * 32


def test_between(scene: Scene) -> None:
    """A span of time takes its start in and leaves its end out."""
    events = write(scene)
    assert list(audit.events_between(scene.store, NOW, NOW + timedelta(minutes=2))) == events[:2]
    assert list(audit.events_between(scene.store, None, None)) == events


def test_whole(scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole tables verify, and so does their export, which is ASCII, one object a line."""
    write(scene)
    scene.store.commit(
        key().model_copy(update={"version": 0}).recorded("key_added", at=NOW, by="a", event_id="k")
    )
    tables = ("--table", "requests", "--approval-table", "approvals")
    assert main("verify", *tables) == 0
    assert capsys.readouterr().out == "2 trails, 0 broken\n"
    assert main("export", *tables) == 0
    text = capsys.readouterr().out
    assert text.isascii()
    assert len([json.loads(line) for line in text.splitlines()]) == 6
    (tmp_path / "export.jsonl").write_text(text)
    assert main("verify", "--file", str(tmp_path / "export.jsonl")) == 0


def test_without_approval_table(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Trails whose records are out of reach are still verified as chains."""
    scene.store.commit(
        key().model_copy(update={"version": 0}).recorded("key_added", at=NOW, by="a", event_id="k")
    )
    event = Event(id="1", subject="grant#1", sequence=1, at=NOW, type="t", by="b", previous="0" * 64).sealed()
    scene.put(event)
    assert main("verify", "--table", "requests") == 0
    assert capsys.readouterr().out == "2 trails, 0 broken\n"


def test_lost(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """A trail of which every event is gone is missed by its record."""
    for event in write(scene):
        sort = {"S": f"event#{event.sequence:06d}"}
        scene.client.delete_item(TableName="requests", Key={"pk": {"S": event.subject}, "sk": sort})
    assert main("verify", "--table", "requests") == 1
    assert "truncated" in capsys.readouterr().out


def test_altered_file(scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An export that was edited names what was altered."""
    write(scene)
    main("export", "--table", "requests")
    path = tmp_path / "export.jsonl"
    path.write_text(capsys.readouterr().out.replace("alice", "bob", 1))
    assert main("verify", "--file", str(path)) == 1
    assert "event 1: altered" in capsys.readouterr().out


@pytest.mark.parametrize("text", [b"{", b"\xff\n", b'{"other": 1}\n'])
def test_unreadable_file(tmp_path: Path, text: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no export is refused, not passed."""
    path = tmp_path / "export.jsonl"
    path.write_bytes(text)
    assert main("verify", "--file", str(path)) == 2
    assert main("verify", "--file", str(tmp_path / "none")) == 2
    assert "cannot read" in capsys.readouterr().err


def test_empty_line_in_file() -> None:
    """A line that is neither event nor head adds nothing."""
    assert list(audit.breaches([audit.Line()])) == []


def test_written_meanwhile(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event written while a trail is read is no breach."""
    write(scene)
    real, left = Store.get_trail, [1]

    def trail(self: Store, subject: str) -> Any:
        found = real(self, subject)
        if left.pop() if left else 0:
            record = scene.request("a" * 32)
            scene.store.commit(record.recorded("noted", at=NOW, by="bob", event_id="late"))
        return found

    monkeypatch.setattr(Store, "get_trail", trail)
    lines = list(audit.export(scene.store))
    assert [breach for _, breach in audit.breaches(lines)] == [None]
    assert len(lines) == 5
