"""Digests: how few mails there are, however much happens."""

from functools import partial
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from grant_broker.aws.items import item_of
from grant_broker.aws.mails import MailTopic
from grant_broker.events import digest
from tests.infrastructure.stack import template
from tests.local_stack.triggers import queues
from tests.support.announcements import Sent, channels_to, event
from tests.support.context import Context
from tests.support.environments import load_handler

handler = load_handler("events")

TOPIC = "arn:aws:sns:eu-central-1:111122223333:mails"
[MAILS] = queues(template())


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What the handler sends."""
    made = Sent()
    channels = channels_to(made)
    monkeypatch.setattr(handler, "channels", lambda: channels)
    monkeypatch.setattr(handler, "mail_topic", lambda: MailTopic(cast("Any", made), TOPIC))
    return made


def _handle(records: list[dict[str, Any]]) -> dict[str, Any]:
    answer: dict[str, Any] = handler.lambda_handler({"Records": records}, Context())
    return answer


def _flood(numbers: range) -> None:
    """New requests, a stream's batch after the other."""
    records = [
        {
            "eventID": str(number),
            "dynamodb": {"SequenceNumber": str(number), "NewImage": item_of(event(number, "submitted"))},
        }
        for number in numbers
    ]
    for start in range(0, len(records), 100):
        assert _handle(records[start : start + 100]) == {"batchItemFailures": []}


class Mapping:
    """The queue's event source as Lambda runs it, on a clock of its own: `at_once` runs, one batch each."""

    def __init__(self, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent, self.now, self.times = sent, 0.0, list[float]()
        self.free = [0.0] * MAILS.at_once
        monkeypatch.setattr(handler, "send_digest", partial(digest.send_digest, sleep=self._sleep))

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def deliver(self, bodies: list[str], most: int) -> None:
        """Run the function on the bodies, `most` a batch, each run as soon as a place is free."""
        for start in range(0, len(bodies), most):
            place = self.free.index(min(self.free))
            self.now, mails = self.free[place], len(self.sent.mails)
            batch = bodies[start : start + most]
            _handle([{"eventSource": "aws:sqs", "body": body} for body in batch])
            self.times += [self.now] * (len(self.sent.mails) - mails)
            self.free[place] = self.now

    def most_within(self, seconds: float) -> int:
        """The most mails in any span of so many seconds."""
        return max(sum(first <= at < first + seconds for at in self.times) for first in self.times)


@pytest.fixture
def mapping(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> Mapping:
    """The queue's event source."""
    return Mapping(sent, monkeypatch)


def test_a_thousand_events_are_one_mail(sent: Sent, mapping: Mapping) -> None:
    """What comes while a mail waits goes in one digest, which counts what it has no room for."""
    _flood(range(1, 1001))
    assert sorted(sent.published) == sorted(f"id-{number}" for number in range(1, 1001))
    assert len(sent.queued) == 1000
    mapping.deliver(sent.queued, MAILS.batch_size)
    [mail] = sent.mails
    assert (mail["TopicArn"], mail["Subject"]) == (TOPIC, "Grant broker: new request (1000)")
    told = mail["Message"].count("\nEvent: ")
    assert 100 < told < 1000
    assert f"And {1000 - told} more: new request ({1000 - told})." in mail["Message"]
    assert len(mail["Message"]) < 256 * 1024


@pytest.mark.parametrize("most", [1, 10, 100])
def test_however_events_come_a_second_sees_two_mails(sent: Sent, mapping: Mapping, most: int) -> None:
    """A thousand events, in however many batches, are never more than 2 mails a second and 8 a minute.

    botocore may send each mail three times where answers are lost: 6 a second, where 10 are the limit.
    """
    _flood(range(1, 1001))
    mapping.deliver(sent.queued, most)
    assert len(sent.mails) == 1000 / most
    assert mapping.most_within(1.0) <= 2
    assert mapping.most_within(60.0) <= 8


def test_the_queue_s_event_source() -> None:
    """The bound rests on these: two runs at most, which have time to wait, and messages that outlast them."""
    assert MAILS.at_once == 2
    function = template().functions()["events"]
    assert function.timeout > digest.PAUSE + 3 * 7 + 5
    assert template().properties("MailQueue")["VisibilityTimeout"] >= 6 * function.timeout


def test_sns_down(sent: Sent, mapping: Mapping) -> None:
    """What could not be mailed stays in the queue: the run fails, and comes again with the same messages."""
    _flood(range(1, 3))
    sent.down = {"Publish"}
    with pytest.raises(ClientError):
        mapping.deliver(sent.queued, MAILS.batch_size)
    assert mapping.now == digest.PAUSE
    sent.down = set()
    mapping.deliver(sent.queued, MAILS.batch_size)
    assert [mail["Subject"] for mail in sent.mails] == ["Grant broker: new request (2)"]


def test_it_waits_before_it_sends(sent: Sent) -> None:
    """A run that breaks off after its mail gives its place to one that waits again."""
    order: list[str] = []

    def sleep(seconds: float) -> None:
        order.append(f"slept {seconds}, {len(sent.mails)} sent")

    digest.send_digest(MailTopic(cast("Any", sent), TOPIC), ["{}"], sleep)
    assert order == ["slept 20.0, 0 sent"]
    assert len(sent.mails) == 1
