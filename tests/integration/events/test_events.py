"""The events function against EventBridge and SNS as they parse what it sends."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto.moto_api._internal.models import moto_api_backend
from moto.sns.models import sns_backends

from functions.events import handler
from grant_broker.aws.announcements import EventBus, Mailbox
from grant_broker.aws.items import item_of
from grant_broker.domain.trail import GENESIS, Event
from grant_broker.events.announce import Notices
from tests.integration.reconcile.test_handler import Context
from tests.local_aws.answers import Response
from tests.local_aws.cloud import AwsCall, Cloud

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A cloud of its own for each test."""
    yield Cloud(lambda: NOW)
    moto_api_backend.reset()


def test_announced(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """EventBridge takes every event of a batch, and the team's topic the mails."""
    session = cloud.session(cloud.root())
    bus = session.client("events")
    taken: list[int] = []

    def watch(call: AwsCall, run: Callable[[], Response]) -> Response:
        answer = run()
        if call.operation == "PutEvents":
            entries = json.loads(answer[2])["Entries"]
            taken.append(sum("EventId" in entry for entry in entries))
        return answer

    cloud.intercept = watch
    topic = session.client("sns").create_topic(Name="security")["TopicArn"]
    made = Notices(EventBus(bus), Mailbox(session.client("sns"), topic))
    monkeypatch.setattr(handler, "notices", lambda: made)
    records = [
        {
            "dynamodb": {
                "SequenceNumber": str(number),
                "NewImage": item_of(
                    Event(
                        id=str(number), subject="request#1", sequence=number, at=NOW, type="active",
                        by="partner", request_id="1", detail={"reason": "nightly ä"}, previous=GENESIS,
                    ).sealed()
                ),
            }
        }
        for number in range(1, 13)
    ]  # fmt: skip
    answer = handler.lambda_handler({"Records": records}, cast("LambdaContext", Context()))
    assert answer == {"batchItemFailures": []}
    assert taken == [10, 2]
    mails = sns_backends[cloud.home]["eu-central-1"].topics[topic].sent_notifications
    assert len(mails) == 12
    assert {subject for _, _, subject, *_ in mails} == {"Grant broker: granted"}
