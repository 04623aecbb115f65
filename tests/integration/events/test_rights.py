"""What is announced, with the rights of the function's own role on the strict IAM: enough, and all needed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.sns.models import sns_backends

from grant_broker.aws.clients import Clients
from grant_broker.aws.items import item_of
from grant_broker.events.digest import send_digest
from grant_broker.events.settings import EventsSettings
from tests.local_stack.queues import QueueLane
from tests.local_stack.triggers import queues
from tests.support.announcements import event
from tests.support.context import Context
from tests.support.environments import load_handler
from tests.support.scene import InProcessStack

handler = load_handler("events")

RECORD = {"eventID": "1", "dynamodb": {"SequenceNumber": "1", "NewImage": item_of(event())}}


@pytest.fixture
def scene(deployed: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcessStack]:
    """The deployment; the handler has its role's credentials and its environment, and nobody waits."""
    deployed.reset()
    stack = deployed.deployment
    aws = Clients(stack.cloud.session(stack.credentials("events")).client)
    settings = EventsSettings.from_environment(stack.environment("events"))
    left = _lane(deployed, lambda _: None)
    left.deliver(left.gather())
    monkeypatch.setattr(handler, "clients", lambda: aws)
    monkeypatch.setattr(handler, "settings", settings)
    monkeypatch.setattr(handler, "send_digest", partial(send_digest, sleep=lambda _: None))
    for made in (handler.channels, handler.mail_topic):
        made.cache_clear()
    role = stack.cloud.directory.principals[stack.functions["events"].role]
    work = role.inline["work"]
    yield deployed
    role.put("work", work)
    for made in (handler.channels, handler.mail_topic):
        made.cache_clear()


def _without(scene: InProcessStack, *actions: str) -> None:
    """Take actions out of the role's policy."""
    stack = scene.deployment
    role = stack.cloud.directory.principals[stack.functions["events"].role]
    left = [
        {**statement, "Action": [name for name in _listed(statement["Action"]) if name not in actions]}
        for statement in role.inline["work"]["Statement"]
    ]
    role.put("work", {"Version": "2012-10-17", "Statement": [entry for entry in left if entry["Action"]]})


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _lane(scene: InProcessStack, invoke: Callable[[Any], Any] | None = None) -> QueueLane:
    """The mapping of the mails' queue, which Lambda serves in the role's name."""
    [queue] = queues(scene.deployment.template)
    sqs = scene.deployment.cloud.session(scene.deployment.credentials("events")).client("sqs")
    return QueueLane(replace(queue, window=0.2), sqs, invoke or _invoke, look=0.05)


def _invoke(records: Any) -> Any:
    return handler.lambda_handler(records, Context())


def _announced() -> bool:
    return bool(_invoke({"Records": [RECORD]}) == {"batchItemFailures": []})


def test_from_the_stream_to_a_mail(scene: InProcessStack) -> None:
    """The role publishes, queues, takes from the queue and mails."""
    stack = scene.deployment
    topics = sns_backends[stack.cloud.home][stack.cloud.region].topics
    topic = topics[stack.environment("events")["MAIL_TOPIC"]]
    before, lane = len(topic.sent_notifications), _lane(scene)
    assert _announced()
    lane.deliver(lane.gather())
    assert [mail[2] for mail in topic.sent_notifications[before:]] == ["Grant broker: granted"]
    assert lane.gather() == []


@pytest.mark.parametrize("action", ["events:PutEvents", "sqs:SendMessage"])
def test_without_the_right_to_tell(scene: InProcessStack, action: str) -> None:
    """Without one of the two nothing is passed over: the stream gives the event again."""
    _without(scene, action)
    assert not _announced()


def test_without_the_right_to_mail(scene: InProcessStack) -> None:
    """Without it the run fails, and the messages stay."""
    assert _announced()
    _without(scene, "sns:Publish")
    lane = _lane(scene)
    with pytest.raises(ClientError, match="sns:Publish"):
        lane.deliver(lane.gather())


@pytest.mark.parametrize("action", ["sqs:ReceiveMessage", "sqs:DeleteMessage"])
def test_without_the_right_to_the_queue(scene: InProcessStack, action: str) -> None:
    """Lambda takes and deletes messages by the role's rights."""
    assert _announced()
    _without(scene, action)
    lane = _lane(scene)
    with pytest.raises(ClientError, match=action):
        lane.deliver(lane.gather())
