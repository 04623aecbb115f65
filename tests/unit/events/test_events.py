"""The stream of audit events: EventBridge, mails, and both again after a failure."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from functions.events import handler
from grant_broker.aws.announcements import EventBus, Mailbox
from grant_broker.aws.items import item_of
from grant_broker.client.commands import replay as command
from grant_broker.domain.mail import mail_about, quoted
from grant_broker.domain.trail import GENESIS, Event
from grant_broker.events.announce import Notices
from tests.unit.reconcile.scene import Scene
from tests.unit.reconcile.test_handler import Context

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-central-1:111122223333:security"


def event(number: int = 1, kind: str = "active", **detail: Any) -> Event:
    """An event of some request."""
    return Event(
        id=f"id-{number}", subject="request#1", sequence=number, type=kind,
        at=NOW + timedelta(seconds=number),
        by="arn:aws:iam::444455556666:role/partner", request_id="1", detail=detail, previous=GENESIS,
    ).sealed()  # fmt: skip


class Sent:
    """EventBridge and SNS: what they were given, and which they refuse."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.calls: list[int] = []
        self.mails: list[dict[str, str]] = []
        self.refused: set[str] = set()
        self.down: set[str] = set()

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - EventBridge's name
        """PutEvents."""
        self._answer("PutEvents")
        self.calls.append(len(Entries))
        ids = [json.loads(entry["Detail"])["id"] for entry in Entries]
        self.entries += [e for e, name in zip(Entries, ids, strict=True) if name not in self.refused]
        return {"Entries": [{"ErrorCode": "Throttled"} if name in self.refused else {} for name in ids]}

    def publish(self, **mail: str) -> None:
        """Publish."""
        self._answer("Publish")
        self.mails.append(mail)

    def _answer(self, operation: str) -> None:
        if operation in self.down:
            raise ClientError({"Error": {"Code": "InternalFailure"}}, operation)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What the handler sends."""
    made = Sent()
    notices = Notices(EventBus(cast("Any", made)), Mailbox(cast("Any", made), TOPIC))
    monkeypatch.setattr(handler, "notices", lambda: notices)
    return made


def run(*events: Event) -> list[str]:
    """The sequence numbers that the handler reports as failed."""
    records = [
        {"dynamodb": {"NewImage": item_of(each), "SequenceNumber": f"s{each.sequence}"}} for each in events
    ]
    answer = handler.lambda_handler({"Records": records}, cast("LambdaContext", Context()))
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_published(sent: Sent) -> None:
    """Each event reaches EventBridge under its type, with its own fields, ten a call."""
    assert run(*(event(number) for number in range(1, 13))) == []
    assert sent.calls == [10, 2]
    first = sent.entries[0]
    assert (first["Source"], first["DetailType"], first["Time"]) == ("grant-broker", "active", event().at)
    assert Event.model_validate(json.loads(first["Detail"])) == event()


def test_partial_failure(sent: Sent) -> None:
    """The stream is told the first event that failed, and nothing after it is mailed or started."""
    sent.refused = {"id-3"}
    assert run(*(event(number) for number in range(1, 13))) == ["s3"]
    assert sent.calls == [10]
    assert len(sent.mails) == 2


@pytest.mark.parametrize("operation", ["PutEvents", "Publish"])
def test_down(sent: Sent, operation: str) -> None:
    """While EventBridge or SNS is down nothing is passed over."""
    sent.down = {operation}
    assert run(event(1), event(2)) == ["s1"]


def test_token(sent: Sent) -> None:
    """A grant token leaves neither by EventBridge nor by mail, however deep it is in the event."""
    run(event(detail=1, grant_token="AQpAM", more=[{"grantToken": "AQpAM"}]))
    assert "AQpAM" not in json.dumps([sent.entries, sent.mails], default=str)


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("submitted", "new request"),
        ("active", "granted"),
        ("expired", "grant ended"),
        ("end_failed", "a grant could not be ended"),
        ("foreign_grant", "drift"),
        ("check_failed", "a key policy check failed"),
    ],
)
def test_mails(sent: Sent, kind: str, title: str) -> None:
    """The security team is told in words what happened."""
    run(event(kind=kind))
    [mail] = sent.mails
    assert (mail["TopicArn"], mail["Subject"]) == (TOPIC, f"Grant broker: {title}")


def test_drift_is_told_as_such() -> None:
    """A transition that reconcile forced is told as drift."""
    mail = mail_about(event(kind="ending", drift=True))
    assert mail is not None
    assert mail.subject == "Grant broker: drift"


def test_untold(sent: Sent) -> None:
    """What needs nobody's attention is published and not mailed."""
    assert run(event(kind="issuing")) == []
    assert sent.mails == []


def test_untrusted() -> None:
    """What others wrote cannot leave its line or its quotation marks, nor be followed as a link."""
    text = 'approved"\r\nBy: \u202ealice\x7f https://evil.example ' + "x" * 400
    mail = mail_about(event(reason=text))
    assert mail is not None
    assert mail.message.isascii()
    assert "\x7f" not in mail.message
    [line] = [each for each in mail.message.split("\n") if "reason" in each]
    assert "https://" not in line
    assert line.endswith(' (cut)"')
    assert len(mail.message.split("\n")) == 8
    assert quoted({"b": 1, "a": NOW}).startswith('"{\\"a\\"')


def test_no_topic() -> None:
    """Without a topic nothing is mailed, and nothing fails."""
    assert Mailbox(cast("Any", None), "").send(mail_about(event()))


def test_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function's clients come from its role and region."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    handler.notices.cache_clear()
    assert isinstance(handler.notices(), Notices)
    handler.notices.cache_clear()


@pytest.fixture
def replaying(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Twelve events in the table, a second apart, and the command's clients."""
    sent = Sent()
    for number in range(1, 13):
        scene.client.put_item(TableName="requests", Item=item_of(event(number)))
    session = type("Session", (), {"client": lambda _self, _name: sent})()
    monkeypatch.setattr(command, "dynamodb_client", lambda: scene.client)
    monkeypatch.setattr(command, "session", lambda: session)
    return sent


def replay(*arguments: str) -> int:
    """The subcommand as the command line calls it."""
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(["--table", "requests", *arguments]))


def test_replay(replaying: Sent, capsys: pytest.CaptureFixture[str]) -> None:
    """A span of time is published again, in order, without mails."""
    assert replay("--since", "2026-03-01T12:00:02Z", "--until", "2026-03-01T12:00:04Z") == 0
    assert [json.loads(entry["Detail"])["id"] for entry in replaying.entries] == ["id-2", "id-3"]
    assert replaying.mails == []
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


def test_replay_of_a_wrong_time() -> None:
    """A time that is no RFC 3339 UTC time is a usage error."""
    with pytest.raises(SystemExit):
        replay("--since", "yesterday")
