"""Events published again: those of a span of time, or those that failed."""

import json
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from grant_broker.aws.event_bus import EventBus
from grant_broker.aws.items import item_of
from grant_broker.client.commands import replay as command
from grant_broker.client.main import main
from tests.support.announcements import Sent, event
from tests.support.records import Scene


@pytest.fixture
def replaying(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Twelve events in the table, a second apart, and the command's clients."""
    sent = Sent()
    for number in range(1, 13):
        scene.client.put_item(TableName="requests", Item=item_of(event(number)))
    monkeypatch.setattr(command, "EventBus", lambda client: EventBus(client, lambda _seconds: None))
    clients = SimpleNamespace(dynamodb=lambda: scene.client, events=lambda: sent)
    monkeypatch.setattr(command, "clients", lambda: clients)
    return sent


def replay(*arguments: str) -> int:
    """The subcommand as the command line calls it."""
    return main(["replay", "--request-table", "requests", *arguments])


def test_replay(replaying: Sent, capsys: pytest.CaptureFixture[str]) -> None:
    """A span of time is published again, in order, without mails."""
    assert replay("--since", "2026-03-01T12:00:02Z", "--until", "2026-03-01T12:00:04Z") == 0
    assert [json.loads(entry["Detail"])["id"] for entry in replaying.entries] == ["id-2", "id-3"]
    assert replaying.queued == []
    assert capsys.readouterr().out == "2 events published, 0 not\n"


def test_replay_refused(replaying: Sent, capsys: pytest.CaptureFixture[str]) -> None:
    """What EventBridge does not take is named, and the rest is still published."""
    replaying.refused = {"id-1", "id-12"}
    assert replay("--since", "2026-03-01T12:00:00Z") == 1
    assert len(replaying.entries) == 10
    assert "event 12" in capsys.readouterr().err


def test_replay_failures(replaying: Sent, tmp_path: Path) -> None:
    """The messages of an on-failure destination say when; overlapping ones publish each event once."""
    batch = {
        "approximateArrivalOfFirstRecord": "2026-03-01T12:00:03Z",
        "approximateArrivalOfLastRecord": "2026-03-01T12:00:04Z",
    }
    path = tmp_path / "failures.jsonl"
    path.write_text(2 * (json.dumps({"DDBStreamBatchInfo": batch}) + "\n") + "\n")
    assert replay("--failures", str(path)) == 0
    assert len(replaying.entries) == 8


@pytest.mark.parametrize(
    "arguments", [[], ["--since", "2026-03-01T12:00:00Z", "--failures", "x"], ["--failures", "none"]]
)
def test_replay_of_nothing(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It must be said what to publish again."""
    assert replay(*arguments) == 2
    assert "cannot read" in capsys.readouterr().err


def test_replay_of_a_wrong_time(capsys: pytest.CaptureFixture[str]) -> None:
    """A time that is no RFC 3339 UTC time is a usage error."""
    assert replay("--since", "yesterday") == 2
    assert "Invalid value for '--since'" in capsys.readouterr().err


def test_replay_without_the_right(replaying: Sent, capsys: pytest.CaptureFixture[str]) -> None:
    """Who may not publish is told so in one line, once, with exit code 2."""
    refusal = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no right"}}, "PutEvents")
    with mock.patch.object(replaying, "put_events", side_effect=refusal) as put:
        assert replay("--since", "2026-03-01T12:00:00Z") == 2
    assert put.call_count == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("grant-broker replay: An error occurred (AccessDeniedException)")


def test_replay_of_what_is_no_event(
    replaying: Sent, scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table that cannot be read as events is told in one line, with exit code 2."""
    item = {**item_of(event(13)), "at": {"S": "never"}}
    scene.client.put_item(TableName="requests", Item=item)
    assert replay("--since", "2026-03-01T12:00:12Z") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert replaying.entries == []


PARTNER, BUS = "444455556666", "arn:aws:events:eu-central-1:444455556666:event-bus/grants"


def test_replayed_to_a_partner(replaying: Sent, scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the account's own requests' events, in the form that partners are told them, go to its bus."""
    for number, account in ((20, PARTNER), (21, "666677778888"), (22, PARTNER)):
        scene.client.put_item(TableName="requests", Item=item_of(event(number, account=account)))
    since = ("--since", "2026-03-01T12:00:00Z")
    assert replay(*since, "--account", PARTNER, "--event-bus", BUS) == 0
    assert [entry["EventBusName"] for entry in replaying.entries] == [BUS, BUS]
    assert [json.loads(entry["Detail"])["id"] for entry in replaying.entries] == ["id-20", "id-22"]
    assert capsys.readouterr().out == "2 events published, 0 not\n"


@pytest.mark.parametrize(
    "half", [("--account", PARTNER), ("--event-bus", BUS), ("--account", "666677778888", "--event-bus", BUS)]
)
def test_a_partner_needs_its_own_bus(
    replaying: Sent, capsys: pytest.CaptureFixture[str], half: tuple[str, ...]
) -> None:
    """Exit code 2, and nothing is sent, where the bus is not named, or is another account's."""
    assert replay("--since", "2026-03-01T12:00:00Z", *half) == 2
    assert "give --account and --event-bus together" in capsys.readouterr().err
    assert replaying.entries == []
