"""The fast DynamoDB answers as a real one: moto, or with --dynamodb-endpoint its maker's own."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.cloud import Cloud
from tests.simulation.acts import Acts
from tests.simulation.database import Refused
from tests.simulation.injection import Fault, Kind
from tests.simulation.one_request import SCOPE, OneRequest
from tests.simulation.world import PARTNER, World

Call = tuple[str, dict[str, Any], Any]


class Tape:
    """Stands before the database, and keeps every call with its answer or its refusal."""

    def __init__(self, world: World) -> None:
        self.calls: list[Call] = []
        self._handle = world.database.handle

    def handle(self, operation: str, parameters: dict[str, Any], caller: str = "") -> Any:
        """The database's answer, kept."""
        try:
            answer = self._handle(operation, parameters, caller)
        except Refused as refused:
            self.calls.append((operation, parameters, (refused.code, refused.reasons)))
            raise
        self.calls.append((operation, parameters, answer))
        return answer


def _story(world: World) -> None:
    """Every use case once, with races so that conditions fail, and both scheduled functions."""
    acts = Acts(world)
    acts.approve_ahead("alice", "partner_data", PARTNER, lasts=3600)
    acts.submit("partner", "partner_data", SCOPE, repeat=True)
    acts.submit("partner", "partner_data", SCOPE, repeat=True)
    for place in range(10):
        OneRequest(world).approved().take_up(Fault(Kind.RACED, operation="TransactWriteItems", racer=place))
        OneRequest(world).pending()
        acts.call("partner", "GET", "/requests", query={"limit": "2"})
    for limits in ({"quorum": 2}, {"max_duration": "PT20M"}, None):
        acts.limit("alice", "second_data", limits)
    acts.call("alice", "GET", "/security/events", query={"limit": "5"})
    for approval in world.approvals():
        acts.call("bob", "DELETE", f"/security/approvals/{approval}", query={"revoke_active": "true"})
    for _ in range(4):
        world.run_reconcile()
        world.run_expiry(10)
        world.advance(1190)


def _camel_to_snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")


def _answered(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
    try:
        return getattr(client, _camel_to_snake(operation))(**parameters)
    except ClientError as error:
        reasons = [{"Code": reason["Code"]} for reason in error.response.get("CancellationReasons", [])]
        return error.response["Error"]["Code"], reasons or None


def _essence(operation: str, answer: Any) -> Any:
    """What of an answer the broker reads; how items of one sort key are ordered is nobody's promise."""
    if isinstance(answer, tuple):
        return answer
    match operation:
        case "Query" if "agenda" in answer.get("LastEvaluatedKey", {}):
            # Cut amid what is due in one second: which of it comes before the cut is nobody's promise either.
            return [item["due"] for item in answer["Items"]]
        case "Query":
            return sorted(answer["Items"], key=_canonical)
        case "BatchGetItem":
            found = answer["Responses"].items()
            return {table: sorted(items, key=_canonical) for table, items in found}
    return {name: answer[name] for name in ("Item", "Attributes") if name in answer}


_canonical = partial(json.dumps, sort_keys=True)


@pytest.fixture
def client(world: World) -> Any:
    """The real database behind the world's deployment, holding what the fast one holds."""
    made = world.cloud.session(world.cloud.root()).client("dynamodb")
    for name, table in world.database.tables.items():
        for item in table.items.values():
            made.put_item(TableName=name, Item=item)
    return made


def test_same_answers(world: World, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every DynamoDB call of a long story is answered by the real database as by the fast one."""
    tape = Tape(world)
    monkeypatch.setattr(world.database, "handle", tape.handle)
    # Where a page ends is told by its bytes, which the fast one does not count.
    monkeypatch.setattr(world.database, "page", 10_000)
    _story(world)
    asked = {(operation, parameters.get("IndexName")) for operation, parameters, _ in tape.calls}
    for operation, parameters, answer in tape.calls:
        real = _essence(operation, _answered(client, operation, parameters))
        assert real == _essence(operation, answer), (operation, parameters)
    wanted = {"TransactWriteItems", "BatchGetItem", "UpdateItem", "GetItem", "Query"}
    assert {operation for operation, _ in asked} >= wanted
    assert len({index for _, index in asked}) > 5
    assert any(isinstance(answer, tuple) for _, _, answer in tape.calls)


@pytest.mark.parametrize("forwards", [True, False])
def test_pages(world: World, forwards: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """However a query is cut into pages, together they are the whole, each item once and in order."""
    monkeypatch.setattr(world.database, "page", 10_000)
    for _ in range(5):
        OneRequest(world).active()
    query = {
        "TableName": world.deployment.request_table, "IndexName": "by_kind",
        "KeyConditionExpression": "kind = :kind", "ScanIndexForward": forwards,
        "ExpressionAttributeValues": {":kind": {"S": "request"}},
    }  # fmt: skip
    whole = world.database.query({**query, "Limit": 8})["Items"]
    page = world.database.query({**query, "Limit": 2})
    found = page["Items"]
    while "LastEvaluatedKey" in page:
        page = world.database.query({**query, "Limit": 2, "ExclusiveStartKey": page["LastEvaluatedKey"]})
        found += page["Items"]
    assert len(whole) == 5
    assert found == whole


def _put(table: str, token: str, value: str) -> dict[str, Any]:
    item = {"pk": {"S": "once"}, "sk": {"S": "name"}, "key_arn": {"S": value}}
    put = {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    return {"ClientRequestToken": token, "TransactItems": [{"Put": put}]}


def test_request_tokens(world: World, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction repeated with its token has happened once; with other content it is refused."""
    monkeypatch.setattr(world.database, "watch", None)
    table = world.deployment.approval_table
    calls = [_put(table, *given) for given in (("t-1", "a"), ("t-1", "a"), ("t-1", "b"), ("t-2", "a"))]
    expected = ["done", "done", "IdempotentParameterMismatchException", "TransactionCanceledException"]
    assert [_outcome(world.database.handle, call) for call in calls] == expected
    # moto ignores the token.
    if Cloud.dynamodb:
        assert [_outcome(partial(_answered, client), call) for call in calls] == expected


def _outcome(answer: Callable[[str, dict[str, Any]], Any], call: dict[str, Any]) -> str:
    try:
        told = answer("TransactWriteItems", call)
    except Refused as refused:
        return refused.code
    return str(told[0]) if isinstance(told, tuple) else "done"
