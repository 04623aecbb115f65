"""The events function against EventBridge and SNS as they parse what it sends."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend
from moto.sns.models import sns_backends

from grant_broker.aws.event_bus import EventBus, entry_of
from grant_broker.aws.items import item_of
from grant_broker.aws.mails import MailQueue, MailTopic
from grant_broker.broker import no_metric
from grant_broker.domain.trail import Event
from grant_broker.events.announce import Channels, replay
from grant_broker.events.digest import send_digest
from grant_broker.events.directory import Directory
from grant_broker.events.partners import Partners
from tests.infrastructure.stack import template
from tests.local_aws.answers import Response
from tests.local_aws.cloud import AwsCall, Cloud
from tests.local_stack.queues import QueueLane
from tests.local_stack.triggers import queues
from tests.support.announcements import NOW, event
from tests.support.context import Context
from tests.support.environments import load_handler

handler = load_handler("events")

[MAILS] = queues(template())


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A cloud of its own for each test."""
    yield Cloud(lambda: NOW)
    moto_api_backend.reset()


@pytest.fixture
def taken(cloud: Cloud) -> list[int]:
    """How many entries each PutEvents call took."""
    found: list[int] = []

    def watch(call: AwsCall, run: Callable[[], Response]) -> Response:
        answer = run()
        if call.operation == "PutEvents":
            found.append(sum("EventId" in entry for entry in json.loads(answer[2]).get("Entries", [])))
        return answer

    cloud.intercept = watch
    return found


@pytest.fixture
def queue(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """The queue that gathers what the handler has to mail."""
    session = cloud.session(cloud.root())
    url = session.client("sqs").create_queue(QueueName="mails")["QueueUrl"]
    mails = MailQueue(session.client("sqs"), url)
    bus = EventBus(session.client("events"))
    partners = Partners(bus, Directory(lambda _account: None), mails, no_metric)
    made = Channels.of(bus, mails, partners)
    monkeypatch.setattr(handler, "channels", lambda: made)
    return url


def _run(records: Any) -> Any:
    """Run the handler."""
    return handler.lambda_handler(records, Context())


def _announce(*events: Event) -> None:
    """Run the handler, which reports no failure."""
    records = [
        {"eventID": str(n), "dynamodb": {"SequenceNumber": str(n), "NewImage": item_of(told)}}
        for n, told in enumerate(events)
    ]
    assert _run({"Records": records}) == {"batchItemFailures": []}


def test_announced(cloud: Cloud, queue: str, taken: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """EventBridge takes every event of a batch, SQS what is to be mailed, SNS one mail about all of it."""
    _announce(*(event(number, reason="nightly ä") for number in range(1, 13)))
    assert taken == [10, 2]
    session = cloud.session(cloud.root())
    topic = session.client("sns").create_topic(Name="mails")["TopicArn"]
    monkeypatch.setattr(handler, "mail_topic", lambda: MailTopic(session.client("sns"), topic))
    monkeypatch.setattr(handler, "send_digest", partial(send_digest, sleep=lambda _: None))
    lane = QueueLane(replace(MAILS, url=queue, window=1), session.client("sqs"), _run, look=0.05)
    batch = lane.gather()
    assert len(batch) == 12
    lane.deliver(batch)
    [mail] = sns_backends[cloud.home]["eu-central-1"].topics[topic].sent_notifications
    assert mail[2] == "Grant broker: granted (12)"
    left = session.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessages"] == left["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_large_events(queue: str, taken: list[int]) -> None:
    """Ten events of 64 KB, the largest body that the API takes, go in as many calls as EventBridge needs."""
    assert queue
    _announce(*(event(number, "submitted", reason="ä" * 32_768) for number in range(1, 11)))
    assert taken == [3, 3, 3, 1]


def test_replayed_by_bytes(cloud: Cloud, taken: list[int]) -> None:
    """`replay` groups events as the function does."""
    bus = EventBus(cloud.session(cloud.root()).client("events"))
    large = [event(number, reason="ä" * 43_500) for number in range(1, 4)]
    assert replay(bus, map(entry_of, [*large, *(event(number) for number in range(4, 14))])) == (13, [])
    assert taken == [2, 10, 1]
