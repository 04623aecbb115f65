"""From a write to a function: what a table's stream hands on."""

import queue
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends
from moto.moto_api._internal.models import moto_api_backend

from tests.local_aws.cloud import Cloud
from tests.local_stack.streams import Lane, Streams
from tests.local_stack.template import Stream

NOW = datetime(2030, 1, 1, tzinfo=UTC)


class Streamed:
    """A table whose stream goes to one function."""

    def __init__(self) -> None:
        cloud = Cloud(lambda: NOW)
        self.client = cast("Any", cloud.session(cloud.root()).client("dynamodb"))
        self.client.create_table(
            TableName="two",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self.seen: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        stream = Stream(
            function="f",
            table="two",
            patterns=(),
            batch_size=1,
            attempts=1,
            bisect=False,
            reports_failures=False,
            on_failure=None,
        )
        self.lane = Lane(stream, lambda event: self.seen.put(event["Records"][0]), lambda *_: None)
        self.lane.start()
        cloud.intercept = Streams(cloud, [self.lane]).intercept

    def put(self, *names: str, fails: bool = False) -> None:
        """Put items in one transaction, with a check that fails or none."""
        items = [{"Put": {"TableName": "two", "Item": {"pk": {"S": name}}}} for name in names]
        check = {"TableName": "two", "Key": {"pk": {"S": "x"}}, "ConditionExpression": "attribute_exists(pk)"}
        self.client.transact_write_items(
            TransactItems=[*items, {"ConditionCheck": check}] if fails else items
        )

    def next(self) -> dict[str, Any]:
        """The next record that the function is given."""
        return self.seen.get(timeout=10)


@pytest.fixture
def streamed() -> Iterator[Streamed]:
    """A table with its stream."""
    made = Streamed()
    yield made
    made.lane.stop()
    moto_api_backend.reset()


def test_in_order(streamed: Streamed) -> None:
    """Each write is there once, in the order of the writes, as Lambda would show it."""
    streamed.put("a", "b")
    streamed.client.update_item(
        TableName="two",
        Key={"pk": {"S": "a"}},
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "1"}},
    )
    streamed.client.delete_item(TableName="two", Key={"pk": {"S": "b"}})
    records = [streamed.next() for _ in range(4)]
    told = [(record["eventName"], record["dynamodb"]["Keys"]["pk"]["S"]) for record in records]
    assert told == [("INSERT", "a"), ("INSERT", "b"), ("MODIFY", "a"), ("REMOVE", "b")]
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
    assert numbers == sorted(set(numbers))
    change = records[2]["dynamodb"]
    assert change["OldImage"] == {"pk": {"S": "a"}}
    assert change["NewImage"] == {"pk": {"S": "a"}, "n": {"N": "1"}}
    assert change["ApproximateCreationDateTime"] == NOW.timestamp()
    assert records[0]["awsRegion"] == "eu-central-1"
    assert "table/two/stream/" in records[0]["eventSourceARN"]


def test_nothing_of_what_is_rolled_back(streamed: Streamed) -> None:
    """A transaction that fails is never seen."""
    with pytest.raises(ClientError):
        streamed.put("a", "b", fails=True)
    streamed.put("c")
    assert streamed.next()["dynamodb"]["Keys"]["pk"]["S"] == "c"
    assert streamed.seen.empty()


def test_nothing_is_kept(streamed: Streamed) -> None:
    """What was handed on is not kept: moto would copy it for each transaction."""
    for number in range(5):
        streamed.put(str(number))
    assert [streamed.next()["dynamodb"]["Keys"]["pk"]["S"] for _ in range(5)] == list("01234")
    shard = dynamodb_backends["111122223333"]["eu-central-1"].get_table("two").stream_shard
    assert shard is not None
    assert shard.items == []
