"""DynamoDB transactions: all or nothing, whatever they hold, and no table copied for them."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends
from moto.moto_api._internal.models import moto_api_backend

from tests.local_aws.cloud import Cloud

KEYS = {"pk": "HASH", "sk": "RANGE"}


class Tables:
    """A table with a sort key and a stream, and one without."""

    def __init__(self) -> None:
        cloud = Cloud(lambda: datetime(2030, 1, 1, tzinfo=UTC))
        self.client = cast("Any", cloud.session(cloud.root()).client("dynamodb"))
        self._backend = dynamodb_backends[cloud.home][cloud.region]
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        for name, keys, more in (("two", ["pk", "sk"], {"StreamSpecification": stream}), ("one", ["pk"], {})):
            self.client.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": key, "KeyType": KEYS[key]} for key in keys],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                **more,
            )
            self.client.put_item(TableName=name, Item=self.key(name, "old") | {"n": {"N": "1"}})

    def key(self, table: str, value: str) -> dict[str, Any]:
        """An item's key."""
        keys = {"pk": {"S": value}, "sk": {"S": "s"}}
        return keys if table == "two" else {"pk": keys["pk"]}

    def held(self) -> list[Any]:
        """Everything in both tables, and the stream's records."""
        found = [self.client.scan(TableName=name)["Items"] for name in ("one", "two")]
        return [*found, [record.to_json() for record in self.model("two").stream_shard.items]]

    def model(self, name: str) -> Any:
        """moto's own table."""
        return self._backend.get_table(name)

    def writes(self, name: str) -> list[dict[str, Any]]:
        """A put, and an update or a delete of what is there."""
        update = {
            "UpdateExpression": "ADD n :one SET m = :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        return [
            {"Put": {"TableName": name, "Item": self.key(name, "new")}},
            {"Update": {"TableName": name, "Key": self.key(name, "old"), **update}},
        ]


@pytest.fixture
def tables() -> Iterator[Tables]:
    """Both tables, with an item each."""
    yield Tables()
    moto_api_backend.reset()


@pytest.mark.parametrize("name", ["one", "two"])
@pytest.mark.parametrize("check_first", [True, False])
def test_rolled_back(tables: Tables, name: str, check_first: bool) -> None:  # noqa: FBT001
    """A transaction whose check fails leaves items and stream as they were, updates included."""
    before = copy.deepcopy(tables.held())
    wanted = "attribute_exists(pk)"
    check = {
        "ConditionCheck": {"TableName": name, "Key": tables.key(name, "none"), "ConditionExpression": wanted}
    }
    delete = {"Delete": {"TableName": "two", "Key": tables.key("two", "gone")}}
    writes = [*tables.writes(name), delete]
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        tables.client.transact_write_items(
            TransactItems=[check, *writes] if check_first else [*writes, check]
        )
    assert tables.held() == before


@pytest.mark.parametrize("name", ["one", "two"])
def test_committed(tables: Tables, name: str) -> None:
    """A transaction that goes through is there whole, its records telling old and new apart."""
    tables.client.transact_write_items(TransactItems=tables.writes(name))
    item = tables.client.get_item(TableName=name, Key=tables.key(name, "old"))["Item"]
    assert (item["n"], item["m"]) == ({"N": "2"}, {"N": "1"})
    records = [record.to_json()["dynamodb"] for record in tables.model("two").stream_shard.items]
    if name == "two":
        assert (records[-1]["OldImage"]["n"], records[-1]["NewImage"]["n"]) == ({"N": "1"}, {"N": "2"})


def test_items_are_shared(tables: Tables) -> None:
    """A snapshot of a table holds the very items: a transaction costs the same however large it is."""
    table = tables.model("two")
    ((kept,),) = [rows.values() for rows in copy.deepcopy(table).items.values()]
    ((item,),) = [rows.values() for rows in table.items.values()]
    assert kept is item
