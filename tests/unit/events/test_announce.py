"""The stream of audit events: EventBridge, mails, and both again after a failure."""

import json
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.events import handler
from grant_broker.aws.announcements import EventBus, Mailbox
from grant_broker.aws.items import item_of
from grant_broker.domain.mail import mail_about, quoted
from grant_broker.domain.trail import Event
from grant_broker.events.announce import Notices
from tests.integration.reconcile.test_handler import Context
from tests.support.announcements import NOW, Sent, event

TOPIC = "arn:aws:sns:eu-central-1:111122223333:security"


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
