"""The events function against EventBridge and SNS as they parse what it sends."""

import json
from collections.abc import Callable, Iterator

import pytest
from moto.moto_api._internal.models import moto_api_backend
from moto.sns.models import sns_backends

from functions.events import handler
from grant_broker.aws.announcements import Mailbox
from grant_broker.aws.event_bus import EventBus
from grant_broker.aws.items import item_of
from grant_broker.domain.trail import Event
from grant_broker.events.announce import Channels, replay
from tests.local_aws.answers import Response
from tests.local_aws.cloud import AwsCall, Cloud
from tests.support.announcements import NOW, event
from tests.support.context import Context


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
def topic(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """The topic that the handler mails to."""
    session = cloud.session(cloud.root())
    arn = session.client("sns").create_topic(Name="security")["TopicArn"]
    made = Channels.of(EventBus(session.client("events")), Mailbox(session.client("sns"), arn))
    monkeypatch.setattr(handler, "channels", lambda: made)
    return arn


def _announce(*events: Event) -> None:
    """Run the handler, which reports no failure."""
    records = [
        {"eventID": str(n), "dynamodb": {"SequenceNumber": str(n), "NewImage": item_of(told)}}
        for n, told in enumerate(events)
    ]
    answer = handler.lambda_handler({"Records": records}, Context())
    assert answer == {"batchItemFailures": []}


def test_announced(cloud: Cloud, topic: str, taken: list[int]) -> None:
    """EventBridge takes every event of a batch, and the team's topic the mails."""
    _announce(*(event(number, reason="nightly ä") for number in range(1, 13)))
    assert taken == [10, 2]
    mails = sns_backends[cloud.home]["eu-central-1"].topics[topic].sent_notifications
    assert len(mails) == 12
    assert {subject for _, _, subject, *_ in mails} == {"Grant broker: granted"}


def test_large_events(topic: str, taken: list[int]) -> None:
    """Ten events of 64 KB, the largest body that the API takes, go in as many calls as EventBridge needs."""
    assert topic
    _announce(*(event(number, "submitted", reason="ä" * 32_768) for number in range(1, 11)))
    assert taken == [3, 3, 3, 1]


def test_replayed_by_bytes(cloud: Cloud, taken: list[int]) -> None:
    """`replay` groups events as the function does."""
    bus = EventBus(cloud.session(cloud.root()).client("events"))
    large = [event(number, reason="ä" * 43_500) for number in range(1, 4)]
    assert replay(bus, [*large, *(event(number) for number in range(4, 14))]) == (13, [])
    assert taken == [2, 10, 1]
