"""The use of grants, from KMS through CloudTrail's events to what is shown; what is lost is not unused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.moto_api._internal.models import moto_api_backend

from grant_broker.aws.clients import Clients
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.tables import Tables
from grant_broker.aws.usages import Usages
from grant_broker.domain.errors import Stale, Unavailable
from grant_broker.domain.usage import Sighting, Usage
from grant_broker.events.usage import note_usage
from tests.local_aws.cloud import AwsCall
from tests.local_aws.kms.usage import Use
from tests.local_stack.cloudtrail import CloudTrail
from tests.local_stack.queues import QueueLane
from tests.local_stack.triggers import queues
from tests.support.context import Context
from tests.support.environments import load_handler
from tests.support.faults import lost, refused
from tests.support.scene import InProcessStack

PAIRS = {"tenant": "a"}
UNSEEN = {"seen": False, "certain": False, "first_seen_at": None, "last_seen_at": None, "count_at_least": 0}


@pytest.fixture(scope="module")
def watched() -> Iterator[InProcessStack]:
    """A deployment that looks for use."""
    yield InProcessStack.deploy(UsageEvidence="yes")
    moto_api_backend.reset()


@pytest.fixture
def trail(watched: InProcessStack) -> Iterator[CloudTrail]:
    """CloudTrail, which loses nothing at first."""
    made = CloudTrail(watched.deployment)
    made.start()
    yield made
    watched.cloud.kms.usage.listeners.clear()


@pytest.fixture
def scene(watched: InProcessStack, trail: CloudTrail, monkeypatch: pytest.MonkeyPatch) -> InProcessStack:
    """The deployment, empty; nobody waits between attempts for real."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    watched.reset()
    del trail
    lane = _lane(watched)
    while batch := lane.gather():
        _delete(watched, batch)
    return watched


def _lane(scene: InProcessStack) -> QueueLane:
    """The mapping of the usage queue, which Lambda serves in the role's name."""
    [queue] = [each for each in queues(scene.deployment.template) if each.batch_size == 5000]
    sqs = scene.cloud.session(scene.deployment.credentials("events")).client("sqs")
    handle = load_handler("events", scene.deployment.environment("events"))
    aws = Clients(scene.cloud.session(scene.deployment.credentials("events")).client)
    handle.clients = lambda: aws
    handle.datetime = _Clock(scene)
    return QueueLane(
        replace(queue, window=0), sqs, lambda event: handle.lambda_handler(event, Context()), look=0.01
    )


class _Clock:
    """The scene's time, where the handler asks for it."""

    def __init__(self, scene: InProcessStack) -> None:
        self._scene = scene

    def now(self, _zone: object) -> Any:
        """The scene's present."""
        return self._scene.clock.now


def _delete(scene: InProcessStack, batch: list[dict[str, Any]]) -> None:
    lane = _lane(scene)
    for message in batch:
        lane.client.delete_message(QueueUrl=lane.queue.url, ReceiptHandle=message["ReceiptHandle"])


def _deliver(scene: InProcessStack, *, window: float = 0) -> int:
    """Deliver what the queue holds, in batches of so many seconds; how many messages."""
    lane = _lane(scene)
    lane.queue = replace(lane.queue, window=window)
    count = 0
    while batch := lane.gather():
        lane.deliver(batch)
        count += len(batch)
    return count


def _kms(scene: InProcessStack, who: str = "partner") -> Any:
    return scene.cloud.session(scene.credentials(who)).client("kms")


def _encrypt(scene: InProcessStack, who: str = "partner", **changes: Any) -> None:
    _kms(scene, who).encrypt(
        **{"KeyId": scene.key_arn, "Plaintext": b"p", "EncryptionContext": PAIRS, **changes}
    )


def _told(scene: InProcessStack, request_id: str, who: str = "partner") -> Any:
    path = f"/requests/{request_id}" if who != "alice" else f"/security/requests/{request_id}"
    return scene.call(who, "GET", path).body["usage"]


def test_used(scene: InProcessStack) -> None:
    """A use by the grantee itself is told to it and to the security team, in lists too, for certain."""
    request_id = scene.active()
    assert _told(scene, request_id) == UNSEEN
    _encrypt(scene)
    assert _deliver(scene) == 1
    expected = {
        "seen": True, "certain": True, "first_seen_at": "2030-01-01T12:00:00Z",
        "last_seen_at": "2030-01-01T12:00:00Z", "count_at_least": 1,
    }  # fmt: skip
    assert _told(scene, request_id) == expected == _told(scene, request_id, "alice")
    [own] = scene.call("partner", "GET", "/requests").body["items"]
    [theirs] = scene.call("alice", "GET", "/security/requests").body["items"]
    assert own["usage"] == theirs["usage"] == expected


def test_a_lost_event_does_not_say_unused(scene: InProcessStack, trail: CloudTrail) -> None:
    """What CloudTrail does not deliver was never *seen*: the grant was used, and KMS itself knows it."""

    def lose(_use: Use) -> bool:
        return True

    request_id = scene.active()
    trail.loses = lose
    _encrypt(scene)
    assert _deliver(scene) == 0
    assert _told(scene, request_id) == UNSEEN
    found = scene.call("alice", "GET", f"/security/requests/{request_id}").body
    assert found["key_last_used"]["operation"] == "Encrypt"


def test_refused_calls_and_other_people_s_are_no_use(scene: InProcessStack) -> None:
    """Another context, another operation, another principal: refused by KMS, and no use of the grant."""
    request_id = scene.active()
    for who, changes in (("partner", {"EncryptionContext": {"tenant": "b"}}), ("partner_colleague", {})):
        with pytest.raises(ClientError, match="AccessDenied"):
            _encrypt(scene, who, **changes)
    assert _deliver(scene) == 0
    assert _told(scene, request_id) == UNSEEN


def test_a_grantee_whose_id_nobody_knows(scene: InProcessStack) -> None:
    """Where the grantee did not ask itself, another account's caller could be it, and no more is said."""
    grantee = scene.grantee("partner_colleague")
    request_id = scene.active(grantee=grantee)
    _encrypt(scene, "partner_colleague")
    _deliver(scene)
    assert {**_told(scene, request_id), "first_seen_at": None, "last_seen_at": None} == {
        **UNSEEN, "seen": True, "count_at_least": 1,
    }  # fmt: skip


def test_two_grants_that_allow_the_same(scene: InProcessStack) -> None:
    """What could have been under either grant is told of both, of none for certain."""
    one, two = scene.active(), scene.active()
    _encrypt(scene)
    _deliver(scene)
    for request_id in (one, two):
        assert (_told(scene, request_id)["seen"], _told(scene, request_id)["certain"]) == (True, False)


def test_late_events_of_a_grant_that_is_over(scene: InProcessStack) -> None:
    """Events that come after the grant's end still tell that it was used."""
    request_id = scene.active()
    _encrypt(scene)
    assert scene.release(request_id).status == 202
    scene.later(2)
    assert _deliver(scene) == 1
    assert scene.call("partner", "GET", f"/requests/{request_id}").body["status"] == "released"
    assert _told(scene, request_id)["certain"]


def test_a_thousand_calls_are_one_write(scene: InProcessStack) -> None:
    """A batch writes each grant's usage once, and a further batch within a minute not at all."""
    request_id = scene.active()
    for _ in range(30):
        _encrypt(scene)
    assert _deliver(scene, window=0.5) == 30
    assert _told(scene, request_id)["count_at_least"] == 30
    scene.clock.sleep(59)
    _encrypt(scene)
    _deliver(scene)
    assert _told(scene, request_id)["last_seen_at"] == "2030-01-01T12:00:00Z"
    scene.clock.sleep(1)
    _encrypt(scene)
    _deliver(scene)
    found = _told(scene, request_id)
    assert (found["count_at_least"], found["last_seen_at"]) == (31, "2030-01-01T12:01:00Z")


def _usages(scene: InProcessStack, function: str = "events") -> Usages:
    aws = Clients(scene.cloud.session(scene.deployment.credentials(function)).client)
    return Usages(Tables(DynamoDb(aws.dynamodb()), scene.deployment.request_table, None))


def _now(scene: InProcessStack) -> Usage:
    seen = Usage(request_id="0" * 32).after([Sighting(scene.clock.now, certain=True)], scene.clock.now)
    assert seen is not None
    return seen


def test_nobody_else_writes_it_and_events_writes_nothing_else(scene: InProcessStack) -> None:
    """Usage is written by `events` alone, and `events` writes no item of any other kind."""
    seen = _now(scene)
    _usages(scene).put(seen, before=Usage(request_id=seen.request_id))
    table, key = (
        scene.deployment.request_table,
        {"pk": {"S": f"usage#{seen.request_id}"}, "sk": {"S": "usage"}},
    )
    for function in ("requests", "approvals", "expiry", "reconcile"):
        client = scene.cloud.session(scene.deployment.credentials(function)).client("dynamodb")
        with pytest.raises(ClientError, match="AccessDenied"):
            client.put_item(TableName=table, Item=key)
    client = scene.cloud.session(scene.deployment.credentials("events")).client("dynamodb")
    for partition in ("request#" + "0" * 32, "reconcile#ends", "rate#lease", "check#expiry#k", "limit#a"):
        with pytest.raises(ClientError, match="AccessDenied"):
            client.update_item(
                TableName=table, Key={"pk": {"S": partition}, "sk": {"S": "usage"}},
                UpdateExpression="SET a = :a", ExpressionAttributeValues={":a": {"S": "x"}},
            )  # fmt: skip
    for operation in ("put_item", "delete_item"):
        with pytest.raises(ClientError, match="AccessDenied"):
            getattr(client, operation)(TableName=table, **{"Item" if operation == "put_item" else "Key": key})


def test_of_two_writers_one_wins(scene: InProcessStack) -> None:
    """Where another process wrote first nothing is overwritten, and nothing fails."""
    usages, seen = _usages(scene), _now(scene)
    before = Usage(request_id=seen.request_id)
    usages.put(seen, before=before)
    with pytest.raises(Stale):
        usages.put(seen, before=before)
    usages.put(seen.model_copy(update={"count": 2}), before=seen)
    assert [each.count for each in _usages(scene, "approvals").list_all()] == [2]


def test_of_two_batches_at_once_one_counts(scene: InProcessStack) -> None:
    """Of two processes that see a grant used at the same time one writes it, and neither fails."""
    request_id = scene.active()
    _encrypt(scene)
    usages, bodies = _usages(scene), [message["Body"] for message in _lane(scene).gather()]
    written = []

    def note() -> int:
        return note_usage(usages, bodies, lambda: scene.clock.now)

    with scene.meanwhile("UpdateItem", lambda: written.append(note())):
        written.append(note())
    assert written == [1, 0]
    assert _told(scene, request_id)["count_at_least"] == 1


def test_what_cannot_be_read_holds_up_nothing(
    scene: InProcessStack, caplog: pytest.LogCaptureFixture
) -> None:
    """A message that is no event is told to the log, and the others of its batch count."""
    request_id = scene.active()
    _encrypt(scene)
    sqs = scene.cloud.session(scene.cloud.root()).client("sqs")
    sqs.send_message(QueueUrl=_lane(scene).queue.url, MessageBody=json.dumps({"detail": {}}))
    assert _deliver(scene) == 2
    assert _told(scene, request_id)["seen"]
    assert "an event of the usage queue cannot be read" in caplog.text


def test_taking_up_never_waits_for_it(scene: InProcessStack) -> None:
    """Where what was seen cannot be read, a grant is given all the same, and nothing is said of its use."""
    request_id = scene.approved()
    table = scene.deployment.request_table

    def of_usage(call: AwsCall) -> bool:
        return table in call.parameters.get("RequestItems", {})

    with scene.faults({"BatchGetItem": refused("AccessDeniedException")}, when=of_usage):
        taken = scene.take_up(request_id)
    assert (taken.status, taken.body["usage"]) == (201, None)
    assert _told(scene, request_id) == UNSEEN


def test_the_access_report(scene: InProcessStack) -> None:
    """Beside each of the broker's grants stands what was seen of its use; other access has none."""
    request_id = scene.active()
    _encrypt(scene)
    _deliver(scene)
    items = scene.security("GET", "/access").body["items"]
    [granted] = [item for item in items if item["through"].get("request_id") == request_id]
    assert granted["usage"]["certain"]
    assert {item["usage"] for item in items if item is not granted} == {None}


@pytest.mark.parametrize("operation", ["Query", "BatchGetItem", "UpdateItem"])
def test_a_batch_that_breaks_off_counts_once(scene: InProcessStack, operation: str) -> None:
    """Where DynamoDB's answer is lost at any step the batch comes again, and no call counts twice."""
    request_id = scene.active()
    for _ in range(3):
        _encrypt(scene)
    usages, bodies = _usages(scene), [message["Body"] for message in _lane(scene).gather()]
    with scene.faults({operation: lost}), pytest.raises(Unavailable):
        note_usage(usages, bodies, lambda: scene.clock.now)
    for _ in range(2):
        note_usage(usages, bodies, lambda: scene.clock.now)
        scene.clock.sleep(60)
    assert _told(scene, request_id)["count_at_least"] == 3
