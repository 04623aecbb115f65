"""Delivery of a queue's messages to a function."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.local_aws.cloud import Cloud
from tests.local_stack.queues import QueueLane
from tests.local_stack.template import Queue
from tests.local_stack.workers import FailedError

ARN = "arn:aws:sqs:eu-central-1:111122223333:mails"


class Function:
    """A function that keeps the bodies of each batch; it fails while it is told to."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []
        self.fails = False
        self.called = threading.Event()

    def __call__(self, event: dict[str, Any]) -> None:
        """One invocation."""
        assert {record["eventSourceARN"] for record in event["Records"]} == {ARN}
        self.seen.append([record["body"] for record in event["Records"]])
        self.called.set()
        if self.fails:
            raise FailedError("told to")


@pytest.fixture
def client() -> Iterator[Any]:
    """SQS."""
    cloud = Cloud(lambda: datetime.now(UTC))
    yield cloud.session(cloud.root()).client("sqs")
    moto_api_backend.reset()


@pytest.fixture
def url(client: Any) -> str:
    """A queue whose messages come again at once where they are not deleted."""
    made = client.create_queue(QueueName="mails", Attributes={"VisibilityTimeout": "0"})
    return str(made["QueueUrl"])


def _lane(client: Any, url: str, function: Function, **changes: Any) -> QueueLane:
    given: dict[str, Any] = {
        "function": "events", "arn": ARN, "url": url, "batch_size": 100, "window": 0.0, "at_once": 1,
    }  # fmt: skip
    return QueueLane(Queue(**given | changes), client, function, look=0.01)


def _send(client: Any, url: str, count: int) -> None:
    for number in range(count):
        client.send_message(QueueUrl=url, MessageBody=str(number))


def test_a_batch_is_gathered_and_deleted(client: Any, url: str) -> None:
    """What waits goes in one batch, up to its size, and is not seen again."""
    client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    _send(client, url, 25)
    function = Function()
    lane = _lane(client, url, function, batch_size=20, window=60.0)
    lane.deliver(lane.gather())
    lane = _lane(client, url, function, window=0.05)
    lane.deliver(lane.gather())
    assert [len(batch) for batch in function.seen] == [20, 5]
    assert sorted(int(body) for batch in function.seen for body in batch) == list(range(25))
    assert lane.gather() == []


def test_what_the_function_fails_on_comes_again(client: Any, url: str) -> None:
    """It stays in the queue."""
    _send(client, url, 1)
    function = Function()
    function.fails = True
    lane = _lane(client, url, function)
    lane.deliver(lane.gather())
    function.fails = False
    lane.deliver(lane.gather())
    assert function.seen == [["0"], ["0"]]
    assert lane.gather() == []


def test_it_runs_until_it_is_stopped(client: Any, url: str) -> None:
    """A message that comes while it runs is delivered; once it is stopped none is."""
    function = Function()
    lane = _lane(client, url, function)
    lane.start()
    _send(client, url, 1)
    assert function.called.wait(10)
    lane.stop()
    _send(client, url, 1)
    assert lane.gather() == []
