"""The stream of audit events: EventBridge and mails, each event once where that can be had."""

import json
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from grant_broker.aws.items import item_of
from grant_broker.aws.mails import MailTopic
from grant_broker.domain.accounts import AccountDocument
from grant_broker.domain.trail import Event
from grant_broker.events.announce import Channels, Once, announce
from tests.support.announcements import Sent, channels_to, event
from tests.support.context import Context
from tests.support.environments import load_handler

handler = load_handler("events")

TOPIC = "arn:aws:sns:eu-central-1:111122223333:mails"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What the handler sends."""
    made = Sent()
    channels = channels_to(made)
    monkeypatch.setattr(handler, "channels", lambda: channels)
    return made


def record(told: Event, **attributes: Any) -> dict[str, Any]:
    """An event's record in the stream, some attributes of its item replaced."""
    number = told.sequence
    image = item_of(told) | attributes
    return {"eventID": f"e{number}", "dynamodb": {"NewImage": image, "SequenceNumber": f"s{number}"}}


def handle(*records: dict[str, Any]) -> list[str]:
    """The sequence numbers that the handler reports as failed."""
    answer = handler.lambda_handler({"Records": list(records)}, Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def run(*events: Event) -> list[str]:
    """The sequence numbers of these events that the handler reports as failed."""
    return handle(*map(record, events))


def ids(*numbers: int) -> list[str]:
    """The ids of events."""
    return [f"id-{number}" for number in numbers]


def test_published(sent: Sent) -> None:
    """Each event reaches EventBridge under its type, with its own fields, ten a call."""
    assert run(*(event(number) for number in range(1, 13))) == []
    assert sent.calls == [10, 2]
    first = sent.entries[0]
    assert (first["Source"], first["DetailType"], first["Time"]) == ("grant-broker", "active", event().at)
    assert Event.model_validate(json.loads(first["Detail"])) == event()


def test_a_refused_event_is_sent_again_alone(sent: Sent) -> None:
    """EventBridge is asked once more for what it refused, not for what it took."""
    sent.refused, sent.relents_after = {"id-3"}, 2
    assert run(*(event(number) for number in range(1, 13))) == []
    assert sent.calls == [10, 1, 1, 2]
    assert sorted(sent.published) == sorted(ids(*range(1, 13)))


def test_a_refused_event_comes_again_alone(sent: Sent) -> None:
    """What stays refused is reported to the stream, whose repeat sends neither the others nor mails again."""
    batch = [event(number) for number in range(1, 13)]
    sent.refused = {"id-3"}
    assert run(*batch) == ["s3"]
    assert sent.calls == [10, 1, 1, 2]
    assert len(sent.queued) == 12
    sent.calls.clear()
    # The stream repeats everything from the first failure on.
    assert run(*batch[2:]) == ["s3"]
    assert sent.calls == [1, 1, 1]
    sent.refused = set()
    assert run(*batch[2:]) == []
    assert sorted(sent.published) == sorted(ids(*range(1, 13)))
    assert len(sent.queued) == 12


def test_the_memory_of_a_process_is_bounded() -> None:
    """It remembers the last 10,000 records of the stream, and no more."""
    told: list[int] = []

    def deliver(events: Any) -> list[bool]:
        told.append(len(events))
        return [True] * len(events)

    once = Once(deliver)
    assert once.deliver({str(number): event() for number in range(10_001)}) == set()
    once.deliver({"0": event(), "1": event(), "10000": event()})
    assert told == [10_001, 1]


@pytest.mark.parametrize("operation", ["PutEvents", "SendMessageBatch"])
def test_down(sent: Sent, operation: str) -> None:
    """While EventBridge or SQS is down nothing is passed over."""
    sent.down = {operation}
    assert run(event(1), event(2)) == ["s1", "s2"]


def test_eventbridge_down_keeps_no_mail_back(sent: Sent) -> None:
    """Each way of telling goes on while the other does not, and repeats nothing when the other is back."""
    sent.down = {"PutEvents"}
    assert run(event(1), event(2)) == ["s1", "s2"]
    assert len(sent.queued) == 2
    sent.down = set()
    assert run(event(1), event(2)) == []
    assert sent.published == ids(1, 2)
    assert len(sent.queued) == 2


def test_eventbridge_down_is_asked_once_a_batch(sent: Sent) -> None:
    """Where a whole call fails the rest of the batch is not tried: the function's time is short."""
    sent.down = {"PutEvents"}
    assert len(run(*(event(number, "issuing") for number in range(1, 41)))) == 40
    assert sent.asked == ["PutEvents"]


def test_a_right_that_is_missing_passes_nothing_over(sent: Sent) -> None:
    """Where the function may not publish, the events come again, and the mails are not kept back."""
    refusal = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no right"}}, "PutEvents")
    with mock.patch.object(sent, "put_events", side_effect=refusal):
        assert run(event(1), event(2)) == ["s1", "s2"]
    assert len(sent.queued) == 2
    assert run(event(1), event(2)) == []


def test_a_pair_named_token(sent: Sent) -> None:
    """Whatever people call their encryption context is published and mailed as it is, and the hash fits."""
    told = event(encryption_context={"token": "a", "Tokenizer": "b"})
    assert run(told) == []
    [entry] = sent.entries
    shown = Event.model_validate(json.loads(entry["Detail"]))
    assert shown == told
    assert shown.hash == shown.expected_hash()
    assert "Tokenizer" in sent.notices[0].text


def test_unreadable(sent: Sent, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no event, or could not be shown as one, holds up none of those around it, and is counted."""
    monkeypatch.setattr(handler.metrics.provider, "namespace", "GrantBroker")
    no_number = record(event(2), sequence={"S": "two"})
    bytes_within = record(event(3), detail={"M": {"x": {"B": b"\xff"}}})
    assert handle(record(event(1)), no_number, bytes_within, record(event(4))) == []
    assert sent.published == ids(1, 4)
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [metrics["UnreadableEvents"] for metrics in written] == [[1.0, 1.0]]


def test_untold(sent: Sent) -> None:
    """What needs nobody's attention is published and not mailed."""
    assert run(event(kind="issuing")) == []
    assert sent.queued == []


def test_a_notice_that_sqs_refuses_comes_again_alone(sent: Sent) -> None:
    """Neither its event nor the other notices go a second time."""
    sent.full = True
    batch = [event(1), event(2, "issuing"), event(3), event(4)]
    assert run(*batch) == ["s3"]
    sent.full = False
    assert run(*batch[2:]) == []
    assert sent.published == ids(1, 2, 3, 4)
    assert len(sent.queued) == 3


def test_notices_go_ten_a_call_and_by_bytes(sent: Sent) -> None:
    """SQS takes ten messages and 256 KB in a call."""
    long = {f"field-{number}": '"' * 300 for number in range(100)}
    assert run(*(event(number, **long) for number in range(1, 31))) == []
    assert sent.asked.count("SendMessageBatch") > 3
    sent.asked.clear()
    assert run(*(event(number) for number in range(31, 61))) == []
    assert sent.asked.count("SendMessageBatch") == 3


def test_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function's clients come from its role and region."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    for made, kind in ((handler.channels, Channels), (handler.mail_topic, MailTopic)):
        made.cache_clear()
        assert isinstance(made(), kind)
        made.cache_clear()


def test_mails_say_what_people_call_an_account(sent: Sent) -> None:
    """The name of a request's account stands in the mail; an account that nobody named is its id alone."""
    acme = AccountDocument(account="444455556666", name="acme")
    channels = channels_to(sent, {"444455556666": acme}.get)
    told = {"r1": event(1, account="444455556666"), "r2": event(2, account="666677778888"), "r3": event(3)}
    assert announce(channels, told) == set()
    assert ["Account:" in notice.text for notice in sent.notices] == [True, False, False]
    assert 'Account: "acme" "444455556666"' in sent.notices[0].text
