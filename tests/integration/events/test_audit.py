"""The audit trail as a whole: pages, exports and the command that verifies them."""

import json
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError

from grant_broker.api.views.events import event_view
from grant_broker.approvals.search_events import search_events
from grant_broker.aws.store import Store
from grant_broker.client import main as command_line
from grant_broker.client.commands import audit as command
from grant_broker.client.printing import printable
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.records import Stamp
from grant_broker.domain.searches import EventSearch
from grant_broker.domain.trail import Event, Head
from grant_broker.domain.versions import record_event
from grant_broker.events import export as exports
from grant_broker.events import trail as audit
from grant_broker.events.export import Line, export, verify_export
from tests.support.records import NOW, Scene, before_intent, key


def write(scene: Scene, count: int = 3, request_id: str = "a" * 32) -> list[Event]:
    """A request with this many events, a minute apart."""
    record = before_intent(Status.PENDING, id=request_id, version=0)
    for number in range(count):
        stamp = Stamp(NOW + timedelta(minutes=number), "alice", f"e{number}")
        change = record_event(record, "noted", stamp, {"x": "ä\n"}, {})
        scene.store.commit(change)
        record = change.record
    return scene.events(f"request#{request_id}")


def main(*arguments: str) -> int:
    """The subcommand as the command line calls it."""
    return command_line.main(["audit", *arguments])


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch, scene: Scene) -> None:
    """The command talks to the tables of the scene."""
    monkeypatch.setattr(command, "clients", lambda: SimpleNamespace(dynamodb=lambda: scene.client))


def test_pages(scene: Scene) -> None:
    """Events come oldest first, page by page, from a time on, without loss or repeat."""
    mixed = sorted([*write(scene), *write(scene, request_id="b" * 32)], key=lambda event: event.place)
    search = partial(search_events, scene.store)
    first = search(EventSearch(since=NOW), limit=4, after=None)
    rest = search(EventSearch(since=NOW), limit=4, after=first.after)
    assert (first.records + rest.records, rest.after) == (mixed, None)
    later = search(EventSearch(since=NOW + timedelta(seconds=61)), limit=10, after=None)
    assert later.records == mixed[4:]
    assert search(EventSearch(), limit=10, after=None).records == mixed


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
        record_event(key().model_copy(update={"version": 0}), "key_added", Stamp(NOW, "a", "k"), {}, {})
    )
    tables = ("--request-table", "requests", "--approval-table", "approvals")
    assert main("verify", *tables) == 0
    assert capsys.readouterr().out.splitlines()[0] == "2 trails, 0 broken"
    assert main("export", *tables) == 0
    text = capsys.readouterr().out
    assert text.isascii()
    assert len([json.loads(line) for line in text.splitlines()]) == 7
    (tmp_path / "export.jsonl").write_text(text)
    assert main("verify", "--file", str(tmp_path / "export.jsonl")) == 0


def test_without_approval_table(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Trails whose records are out of reach are still verified as chains."""
    scene.store.commit(
        record_event(key().model_copy(update={"version": 0}), "key_added", Stamp(NOW, "a", "k"), {}, {})
    )
    event = Event(id="1", subject="grant#1", sequence=1, at=NOW, type="t", by="b", previous="0" * 64).sealed()
    scene.put(event)
    assert main("verify", "--request-table", "requests") == 0
    assert capsys.readouterr().out.splitlines()[0] == "2 trails, 0 broken"


def test_lost(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """A trail of which every event is gone is missed by its record."""
    for event in write(scene):
        sort = {"S": f"event#{event.sequence:06d}"}
        scene.client.delete_item(TableName="requests", Key={"pk": {"S": event.subject}, "sk": sort})
    assert main("verify", "--request-table", "requests") == 1
    assert "truncated" in capsys.readouterr().out


def test_altered_file(scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An export that was edited names what was altered."""
    write(scene)
    main("export", "--request-table", "requests")
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


@pytest.mark.parametrize("words", [[], ["--table", "requests", "--file", "export.jsonl"]])
def test_either_tables_or_a_file(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It must be said what to verify, once."""
    assert main("verify", *words) == 2
    assert "give one of --stack, --request-table and --file" in capsys.readouterr().err


def test_empty_line_in_file(scene: Scene) -> None:
    """A line that is neither event nor head adds nothing."""
    write(scene)
    found = verify_export([Line(), *export(scene.store)])
    assert (found.broken, found.export, len(found.trails)) == ({}, None, 1)


def exported(scene: Scene, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of an export of two requests and a key."""
    write(scene)
    write(scene, request_id="b" * 32)
    scene.store.commit(
        record_event(key().model_copy(update={"version": 0}), "key_added", Stamp(NOW, "a", "k"), {}, {})
    )
    capsys.readouterr()
    assert main("export", "--request-table", "requests", "--approval-table", "approvals") == 0
    return capsys.readouterr().out.splitlines()


def cut(kind: str, lines: list[str]) -> list[str]:
    """An export from which something is missing."""
    request = f"request#{'b' * 32}"
    return {
        "no head": [line for line in lines if '"head"' not in line or request not in line],
        "no last event": [line for line in lines if not (request in line and '"sequence": 3' in line)],
        "a whole trail": [line for line in lines if request not in line],
        "the closing line": lines[:-1],
        "the end": lines[: len(lines) // 2],
        "everything but the closing line": lines[-1:],
        "everything": [],
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "no head",
        "no last event",
        "a whole trail",
        "the closing line",
        "the end",
        "everything but the closing line",
        "everything",
    ],
)
def test_a_cut_export_is_a_breach(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """Whatever is missing from an export, verifying it exits with 1 and says what is wrong."""
    (tmp_path / "cut.jsonl").write_text("".join(f"{line}\n" for line in cut(kind, exported(scene, capsys))))
    assert main("verify", "--file", str(tmp_path / "cut.jsonl")) == 1
    assert "the export: truncated: " in capsys.readouterr().out


def test_what_follows_the_closing_line_is_a_breach(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """An export ends with its closing line: two of them in one file are not one."""
    lines = [Line.model_validate_json(line) for line in exported(scene, capsys)]
    assert verify_export(lines).export is None
    assert verify_export([*lines, *lines]).export == "a line stands after its closing line"


def test_a_swapped_trail_is_a_breach(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """A trail replaced by another whole one of the same size is not what the closing line was made of."""
    lines = [Line.model_validate_json(line) for line in exported(scene, capsys)]
    others = [line for line in lines if "b" * 32 not in line.model_dump_json()]
    twin = before_intent(Status.PENDING, id="c" * 32, version=0)
    events = []
    for number in range(3):
        change = record_event(twin, "noted", Stamp(NOW, "eve", str(number)), {}, {})
        assert change.event is not None
        events.append(Line(event=change.event))
        twin = change.record
    head = Line(subject=twin.subject, head=Head(twin.events, twin.last_hash))
    found = verify_export([*events, head, *others])
    assert (found.broken, found.export) == ({}, "its trails do not end where its closing line says")


def test_a_trail_without_its_record_is_a_breach(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """A record whose events are there is kept for ever; only where its table was read is it missed."""
    write(scene)
    gone = {"pk": {"S": f"request#{'a' * 32}"}, "sk": {"S": "request"}}
    scene.client.delete_item(TableName="requests", Key=gone)
    assert main("verify", "--request-table", "requests") == 1
    assert "event 4: missing: there is no record" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sort", "broken"),
    [
        ("event#000002", "event 3: altered: what is stored as event#000002 is no event"),
        ("request", "event 4: altered: its record does not say where the trail ends"),
    ],
)
def test_what_cannot_be_read_in_the_tables_is_a_breach(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], sort: str, broken: str
) -> None:
    """Whoever stored something else in the place of an event altered the trail; an export says so too."""
    write(scene)
    item = {"pk": {"S": f"request#{'a' * 32}"}, "sk": {"S": sort}, "events": {"S": "three"}}
    scene.client.put_item(TableName="requests", Item=item)
    assert main("verify", "--request-table", "requests") == 1
    assert broken in capsys.readouterr().out
    assert main("export", "--request-table", "requests") == 0
    (tmp_path / "export.jsonl").write_text(capsys.readouterr().out)
    assert main("verify", "--file", str(tmp_path / "export.jsonl")) == 1
    assert broken in capsys.readouterr().out


@pytest.mark.parametrize(
    "failure",
    [
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no\nright"}}, "Query"),
        ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no table"}}, "Query"),
        NoCredentialsError(),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
    ],
    ids=lambda failure: type(failure).__name__,
)
@pytest.mark.parametrize("action", ["verify", "export"])
def test_what_aws_refuses_is_no_breach(
    scene: Scene,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    failure: Exception,
) -> None:
    """A missing right, table or credentials is one line that names it, with exit code 2."""
    monkeypatch.setattr(scene.client, "query", mock.Mock(side_effect=failure))
    assert main(action, "--request-table", "requests") == 2
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert line.startswith(f"grant-broker audit {action}: ")
    assert printable(str(failure)) in line
    assert output.out == ""


def test_without_a_region(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no client can be made the exit code is 2 as well."""
    monkeypatch.setattr(command, "clients", mock.Mock(side_effect=NoRegionError()))
    assert [main(action, "--request-table", "requests") for action in ("verify", "export")] == [2, 2]
    assert capsys.readouterr().err.count("You must specify a region") == 2


def test_written_meanwhile(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event written while a trail is read is no breach."""
    write(scene)
    real, left = exports._event_items, [1]  # noqa: SLF001 - the moment between the two reads is there alone

    def items(store: Store, subject: str) -> Any:
        found = real(store, subject)
        if left.pop() if left else 0:
            record = scene.request("a" * 32)
            scene.store.commit(record_event(record, "noted", Stamp(NOW, "bob", "late"), {}, {}))
        return found

    monkeypatch.setattr(exports, "_event_items", items)
    lines = list(export(scene.store))
    found = verify_export(lines)
    assert (found.broken, found.export, len(lines)) == ({}, None, 6)
