"""Reading many items at once, though DynamoDB may leave some unread."""

from typing import Any, cast

import pytest

from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.items import serialized
from grant_broker.domain.errors import Unavailable


class Reluctant:
    """Answers one key of each BatchGetItem call, up to a number of calls."""

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.sizes: list[int] = []

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - DynamoDB's name
        """BatchGetItem."""
        keys = RequestItems["t"]["Keys"]
        assert RequestItems["t"]["ConsistentRead"]
        self.sizes.append(len(keys))
        self.left -= 1
        if self.left < 0:
            return {"Responses": {}, "UnprocessedKeys": RequestItems}
        rest = {"t": {**RequestItems["t"], "Keys": keys[1:]}} if keys[1:] else {}
        return {"Responses": {"t": keys[:1]}, "UnprocessedKeys": rest}


def database(client: object) -> DynamoDb:
    """On a client that is no client, without pauses."""
    return DynamoDb(cast("Any", client), sleep=lambda _seconds: None)


def test_unprocessed() -> None:
    """Keys left unread are asked for again, each key once."""
    client = Reluctant(3)
    found = database(client).get_many("t", [("a", "x"), ("b", "x"), ("a", "x"), ("c", "x")])
    assert found == [{"pk": name, "sk": "x"} for name in "abc"]
    assert client.sizes == [3, 2, 1]


def test_never_processed() -> None:
    """A database that goes on leaving keys unread is unavailable: none of them counts as absent."""
    with pytest.raises(Unavailable):
        database(Reluctant(0)).get_many("t", [("a", "x")])


def test_hundreds() -> None:
    """No call asks for more than the hundred keys that BatchGetItem takes; none is made for nothing."""
    sizes: list[int] = []

    class Client:
        def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
            sizes.append(len(RequestItems["t"]["Keys"]))
            return {"Responses": {"t": [serialized({"pk": "a"})]}}

    assert len(database(Client()).get_many("t", [(str(number), "x") for number in range(250)])) == 3
    assert sizes == [100, 100, 50]
    assert database(None).get_many("t", []) == []
