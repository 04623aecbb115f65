"""The other services: a caller does what its identity policies allow, on what they name, and nothing else."""

from typing import Any

import pytest

from tests.integration.local_aws.world import DENIED, HOME, PARTNER, World, code, policy, root, statement

PLACE = f"eu-central-1:{HOME}"
TABLE = f"arn:aws:dynamodb:{PLACE}:table/things"


@pytest.fixture
def table(world: World) -> str:
    """A table with an index and a stream; its name."""
    made = world.as_root("dynamodb").create_table(
        TableName="things",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "kind")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_kind",
                "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return str(made["TableDescription"]["TableName"])


def _item(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}, "kind": {"S": "x&Action=DeleteTable"}}


def _only(world: World, action: str, resource: str, service: str = "dynamodb") -> Any:
    world.cloud.put_role_policies(world.app, [policy(statement(action, Resource=resource))])
    return world.role(world.app, service)


_KEY = {"pk": {"S": "a"}}
_CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "GetItem": ("get_item", {"TableName": "things", "Key": _KEY}),
    "PutItem": ("put_item", {"TableName": "things", "Item": _item("a")}),
    "DeleteItem": ("delete_item", {"TableName": "things", "Key": _KEY}),
    "Scan": ("scan", {"TableName": "things"}),
    "DescribeTable": ("describe_table", {"TableName": "things"}),
    "BatchGetItem": ("batch_get_item", {"RequestItems": {"things": {"Keys": [_KEY]}}}),
    "BatchWriteItem": (
        "batch_write_item",
        {"RequestItems": {"things": [{"PutRequest": {"Item": _item("a")}}]}},
    ),
}


@pytest.mark.parametrize("action", _CALLS)
def test_dynamodb(world: World, table: str, action: str) -> None:
    """Each action on the table takes its own leave."""
    name, given = _CALLS[action]
    assert code(getattr(_only(world, f"dynamodb:{action}", TABLE), name), **given) == ""
    assert code(getattr(_only(world, f"dynamodb:{action}", TABLE + "2"), name), **given) == DENIED
    other = next(each for each in _CALLS if each != action)
    assert code(getattr(_only(world, f"dynamodb:{other}", TABLE), name), **given) == DENIED
    assert table in TABLE


def test_query_index(world: World, table: str) -> None:
    """A query of an index takes leave on the index; leave on the table is another."""
    given = {
        "TableName": table,
        "KeyConditionExpression": "kind = :k",
        "ExpressionAttributeValues": {":k": {"S": "x"}},
    }
    for resource, expected in (("/index/by_kind", ""), ("", DENIED), ("/index/other", DENIED)):
        client = _only(world, "dynamodb:Query", TABLE + resource)
        assert code(client.query, **given, IndexName="by_kind") == expected


@pytest.mark.parametrize(
    ("item", "action"),
    [
        ({"Put": {"TableName": "things", "Item": _item("a")}}, "PutItem"),
        ({"Delete": {"TableName": "things", "Key": _KEY}}, "DeleteItem"),
        ({"Update": {"TableName": "things", "Key": _KEY, "UpdateExpression": "REMOVE x"}}, "UpdateItem"),
        (
            {
                "ConditionCheck": {
                    "TableName": "things",
                    "Key": {"pk": {"S": "z"}},
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
            "ConditionCheckItem",
        ),
    ],
)
def test_transactions(world: World, table: str, item: dict[str, Any], action: str) -> None:
    """A transaction takes the leave of each of its items: without one of them nothing is written."""
    both = [{"Put": {"TableName": table, "Item": _item("b")}}, item]
    rights = sorted({"dynamodb:PutItem", f"dynamodb:{action}"})
    world.allow(world.app, *rights)
    assert code(world.role(world.app, "dynamodb").transact_write_items, TransactItems=both) == ""
    world.as_root("dynamodb").delete_item(TableName=table, Key={"pk": {"S": "b"}})
    world.allow(world.app, "dynamodb:PutItem" if action != "PutItem" else "dynamodb:UpdateItem")
    assert code(world.role(world.app, "dynamodb").transact_write_items, TransactItems=both) == DENIED
    assert "Item" not in world.as_root("dynamodb").get_item(TableName=table, Key={"pk": {"S": "b"}})


@pytest.mark.parametrize("action", ["GetItem", "PutItem", "DeleteItem", "BatchGetItem", "BatchWriteItem"])
def test_leading_keys(world: World, table: str, action: str) -> None:
    """A call tells the partitions that it names: leave on others is none, and a Deny on one is."""
    name, given = _CALLS[action]
    named = {"StringLike": {"dynamodb:LeadingKeys": ["a*"]}}
    others = {"StringLike": {"dynamodb:LeadingKeys": ["b*"]}}

    def may(*statements: dict[str, Any]) -> str:
        world.cloud.put_role_policies(world.app, [policy(*statements)])
        return code(getattr(world.role(world.app, "dynamodb"), name), **given)

    def leave(condition: dict[str, Any], effect: str = "Allow") -> dict[str, Any]:
        quantified = {f"ForAnyValue:{operator}": keys for operator, keys in condition.items()}
        return statement(f"dynamodb:{action}", effect, Resource=TABLE, Condition=quantified)

    everything = statement(f"dynamodb:{action}", Resource=TABLE)
    assert may(leave(named)) == ""
    assert may(leave(others)) == DENIED
    assert may(everything, leave(others, "Deny")) == ""
    assert may(everything, leave(named, "Deny")) == DENIED
    assert table in TABLE


def test_leading_keys_of_a_transaction(world: World, table: str) -> None:
    """Each item of a transaction is decided by its own partition, and one that is refused stops all."""
    fence = statement(
        "dynamodb:PutItem",
        "Deny",
        Resource=TABLE,
        Condition={"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["b*"]}},
    )
    world.cloud.put_role_policies(world.app, [policy(statement("dynamodb:PutItem", Resource=TABLE), fence)])
    client = world.role(world.app, "dynamodb")
    puts = [{"Put": {"TableName": table, "Item": _item(name)}} for name in "acb"]
    assert code(client.transact_write_items, TransactItems=puts[:2]) == ""
    assert code(client.transact_write_items, TransactItems=puts) == DENIED


def test_transaction_reads(world: World, table: str) -> None:
    """A transaction that reads takes GetItem's leave."""
    given = {"TransactItems": [{"Get": {"TableName": table, "Key": _KEY}}]}
    assert code(_only(world, "dynamodb:GetItem", TABLE).transact_get_items, **given) == ""
    assert code(_only(world, "dynamodb:TransactGetItems", TABLE).transact_get_items, **given) == DENIED


def test_streams(world: World, table: str) -> None:
    """A stream's records take leave on the stream."""
    arn = world.as_root("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    world.as_root("dynamodb").put_item(TableName=table, Item=_item("a"))
    streams = world.as_root("dynamodbstreams")
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    place = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    iterator = streams.get_shard_iterator(**place)["ShardIterator"]
    reading = _only(world, "dynamodb:GetRecords", arn, "dynamodbstreams")
    assert len(reading.get_records(ShardIterator=iterator)["Records"]) == 1
    other = _only(world, "dynamodb:*", TABLE, "dynamodbstreams")
    assert code(other.get_records, ShardIterator=iterator) == DENIED
    assert code(other.describe_stream, StreamArn=arn) == DENIED


def test_publishing(world: World) -> None:
    """SNS, SQS and EventBridge take leave on topic, queue and bus, and refuse in their own protocols."""
    topic = world.as_root("sns").create_topic(Name="t")["TopicArn"]
    queue = world.as_root("sqs").create_queue(QueueName="q")["QueueUrl"]
    event = {"Entries": [{"Source": "s", "DetailType": "t", "Detail": "{}"}]}
    sns, message = _only(world, "sns:Publish", topic, "sns"), {"TopicArn": topic, "Message": "m"}
    assert code(sns.publish, **message) == ""
    assert code(_only(world, "sns:Publish", topic + "2", "sns").publish, **message) == "AccessDenied"
    sqs = _only(world, "sqs:SendMessage", f"arn:aws:sqs:{PLACE}:q", "sqs")
    assert code(sqs.send_message, QueueUrl=queue, MessageBody="&Action=DeleteQueue") == ""
    assert code(sqs.send_message_batch, QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "m"}]) == ""
    assert code(sqs.delete_queue, QueueUrl=queue) == DENIED
    bus = _only(world, "events:PutEvents", f"arn:aws:events:{PLACE}:event-bus/default", "events")
    assert bus.put_events(**event)["FailedEntryCount"] == 0
    other = _only(world, "events:PutEvents", f"arn:aws:events:{PLACE}:event-bus/x", "events")
    assert code(other.put_events, **event) == DENIED
    assert code(world.role(world.partner, "sns").publish, **message) == "AccessDenied"


def test_metrics_and_logs(world: World) -> None:
    """CloudWatch and Logs take leave too, CloudWatch refusing in CBOR."""
    data = {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.0}]}
    assert code(_only(world, "cloudwatch:PutMetricData", "*", "cloudwatch").put_metric_data, **data) == ""
    other = _only(world, "cloudwatch:GetMetricData", "*", "cloudwatch")
    assert code(other.put_metric_data, **data) == DENIED
    group = {"logGroupName": "g"}
    logs = _only(world, "logs:CreateLogGroup", f"arn:aws:logs:{PLACE}:log-group:g:*", "logs")
    assert code(logs.create_log_group, **group) == ""
    assert code(logs.delete_log_group, **group) == DENIED


def test_another_account(world: World, table: str) -> None:
    """Another account has nothing here, not even for its root user."""
    keys = world.cloud.directory.issue(root(PARTNER), PARTNER, temporary=False)
    client = world.client(keys, "dynamodb")
    assert client.list_tables()["TableNames"] == []
    assert code(client.get_item, TableName=TABLE, Key=_KEY) == DENIED
    assert world.as_root("dynamodb").list_tables()["TableNames"] == [table]


def test_right_before_existence(world: World) -> None:
    """Whether a table exists is told to those who may ask."""
    assert code(world.role(world.app, "dynamodb").describe_table, TableName="nothing") == DENIED
    assert code(world.as_root("dynamodb").describe_table, TableName="nothing") == "ResourceNotFoundException"
