"""A failed transaction of the local DynamoDB leaves everything as it was."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends
from moto.moto_api._internal.models import moto_api_backend

from tests.local_aws.cloud import Cloud

TABLE: dict[str, Any] = {
    "TableName": "t",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
    ],
}


@pytest.fixture
def tables() -> Iterator[Any]:
    """DynamoDB, for the account's root."""
    cloud = Cloud(lambda: datetime(2030, 1, 1, tzinfo=UTC))
    yield cloud.session(cloud.root()).client("dynamodb")
    moto_api_backend.reset()


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "not streamed"])
def test_all_or_nothing(tables: Any, *, stream: bool) -> None:
    """Of puts before and after a failed condition none remains, in the table or in its stream."""
    view = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}} if stream else {}
    tables.create_table(**TABLE, **view)
    tables.put_item(TableName="t", Item=_item("a", "old"))
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        tables.transact_write_items(
            TransactItems=[_put("a", "new"), _put("b", "new"), _put("c", "new", fails=True)]
        )
    assert tables.scan(TableName="t")["Items"] == [_item("a", "old")]
    assert _streamed() == (1 if stream else 0)
    tables.transact_write_items(TransactItems=[_put("a", "new"), _put("b", "new")])
    assert tables.scan(TableName="t")["Items"] == [_item("a", "new"), _item("b", "new")]
    assert _streamed() == (3 if stream else 0)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("pk, #v", {"pk": {"S": "a"}, "value": {"S": "new"}}),
        ("absent", {}),
        ("nested.one", {"nested": {"M": {"one": {"S": "1"}}}}),
        ("nested", {"nested": {"M": {"one": {"S": "1"}, "two": {"N": "2"}}}}),
    ],
)
def test_projected(tables: Any, expression: str, found: dict[str, Any]) -> None:
    """A query gives the attributes that it asks for, nested ones too, and leaves the item as it is."""
    tables.create_table(**TABLE)
    nested = {"nested": {"M": {"one": {"S": "1"}, "two": {"N": "2"}}}}
    tables.put_item(TableName="t", Item=_item("a", "new") | nested)
    names = {"ExpressionAttributeNames": {"#v": "value"}} if "#v" in expression else {}
    answer = tables.query(
        TableName="t",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "a"}},
        ProjectionExpression=expression,
        **names,
    )
    assert answer["Items"] == [found]
    assert tables.scan(TableName="t")["Items"] == [_item("a", "new") | nested]


def _item(pk: str, value: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "s"}, "value": {"S": value}}


def _put(pk: str, value: str, *, fails: bool = False) -> dict[str, Any]:
    condition = {"ConditionExpression": "attribute_exists(pk)"} if fails else {}
    return {"Put": {"TableName": "t", "Item": _item(pk, value), **condition}}


def _streamed() -> int:
    shard = dynamodb_backends["111122223333"]["eu-central-1"].tables["t"].stream_shard
    return len(shard.items) if shard else 0
