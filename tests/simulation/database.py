"""A DynamoDB for many thousand faults a minute: the calls that the broker makes, on dicts.

moto copies the whole table for each transaction (three steps a second here). What this answers is pinned to
moto's answers, and to DynamoDB Local's where that runs, by `test_database.py`.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.simulation.expressions import Item, Scope, UnknownHereError, comparable, condition, updated

Key = tuple[str, str]
_TOKEN_LIVES = timedelta(minutes=10)
_MOST = 100
_QUERY = {
    "TableName", "IndexName", "KeyConditionExpression", "FilterExpression", "ProjectionExpression", "Select",
    "ExpressionAttributeNames", "ExpressionAttributeValues", "ScanIndexForward", "Limit", "ConsistentRead",
    "ExclusiveStartKey",
}  # fmt: skip


class Refused(Exception):  # noqa: N818 - DynamoDB refuses
    """An error answer: its code, and the reasons where a transaction was cancelled."""

    def __init__(self, code: str, reasons: list[dict[str, str]] | None = None) -> None:
        super().__init__(code)
        self.code, self.reasons = code, reasons


@dataclass(frozen=True)
class Write:
    """One item before and after; None where there is none."""

    table: str
    key: Key
    old: Item | None
    new: Item | None


class Index(NamedTuple):
    """A secondary index; `shown` are the attributes beside the keys that it projects, None for all."""

    partition: str
    sort: str
    shown: frozenset[str] | None = None

    def projected(self, item: Item) -> Item:
        """What a query on the index gives of an item."""
        if self.shown is None:
            return item
        names = self.shown | {"pk", "sk", self.partition, self.sort}
        return {name: value for name, value in item.items() if name in names}


_PRIMARY = Index("pk", "sk")


@dataclass
class Table:
    """Items by primary key, and by the partitions of each index."""

    indexes: Mapping[str, Index]
    items: dict[Key, Item] = field(default_factory=dict)
    parts: dict[tuple[str | None, str], dict[Key, Item]] = field(default_factory=dict)

    def put(self, key: Key, item: Item | None) -> None:
        """Replace an item, or delete it."""
        if old := self.items.pop(key, None):
            for part in self._parts_of(old):
                del self.parts[part][key]
        if item is not None:
            self.items[key] = item
            for part in self._parts_of(item):
                self.parts.setdefault(part, {})[key] = item

    def replace(self, items: Mapping[Key, Item]) -> None:
        """Everything anew, as after a restore."""
        self.items, self.parts = {}, {}
        for key, item in items.items():
            self.put(key, item)

    def part(self, index: str | None, value: str) -> Iterable[tuple[Key, Item]]:
        """The items of one partition of the table or of an index."""
        return self.parts.get((index, value), {}).items()

    def schema(self, index: str | None) -> Index:
        """An index, or the table's own keys."""
        return self.indexes[index] if index else _PRIMARY

    def _parts_of(self, item: Item) -> list[tuple[str | None, str]]:
        found: list[tuple[str | None, str]] = [(None, item["pk"]["S"])]
        for index, (partition, sort, _) in self.indexes.items():
            if partition in item and sort in item:
                found.append((index, item[partition]["S"]))
        return found


class Database:
    """Tables with their streams. `watch` is told of each transaction's writes, all at once.

    `page`: the items of a Query's page at most, where it names no lower Limit.
    """

    def __init__(
        self, tables: Mapping[str, Mapping[str, Index]], clock: Callable[[], datetime], page: int = 10_000
    ) -> None:
        self.page = page
        self.tables = {name: Table(indexes) for name, indexes in tables.items()}
        self.clock = clock
        self.watch: Callable[[str, list[Write]], None] | None = None
        self.stream: list[dict[str, Any]] = []
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._numbers = itertools.count(1)

    def forget(self) -> None:
        """Empty tables, no stream records, no request tokens."""
        for table in self.tables.values():
            table.replace({})
        self.stream.clear()
        self._tokens.clear()

    def handle(self, operation: str, parameters: dict[str, Any], caller: str = "") -> dict[str, Any]:
        """The answer to a call; Refused."""
        match operation:
            case "GetItem":
                item = self._get(parameters["TableName"], parameters["Key"])
                return {"Item": item} if item else {}
            case "BatchGetItem":
                return self._batch(parameters["RequestItems"])
            case "Query":
                return self.query(parameters)
            case "TransactWriteItems":
                return self._transact(parameters, caller)
            case "PutItem" | "UpdateItem" | "DeleteItem":
                return self._single(operation.removesuffix("Item"), parameters, caller)
        raise UnknownHereError(operation)

    def query(self, parameters: dict[str, Any], items: Mapping[Key, Item] | None = None) -> dict[str, Any]:
        """One page of a Query; on `items`, an earlier state, where given."""
        table, index = self.tables[parameters["TableName"]], parameters.get("IndexName")
        names, values = (
            parameters.get("ExpressionAttributeNames", {}),
            parameters["ExpressionAttributeValues"],
        )
        if unknown := parameters.keys() - _QUERY:
            raise UnknownHereError(unknown)
        if index and parameters.get("ConsistentRead"):
            raise Refused("ValidationException")
        schema = table.schema(index)
        partition, sort, _ = schema
        wanted = condition(parameters["KeyConditionExpression"])
        pool: Iterable[tuple[Key, Item]] = table.items.items() if items is None else items.items()
        if items is None and (value := _partition(parameters["KeyConditionExpression"], values)):
            pool = table.part(index, value)
        found = [
            (key, item) for key, item in pool
            if partition in item and sort in item and wanted(Scope(item, names, values))
        ]  # fmt: skip
        found.sort(
            key=lambda pair: (comparable(pair[1][sort]), pair[0]),
            reverse=not parameters.get("ScanIndexForward", True),
        )
        return _page(found, parameters, schema, min(parameters.get("Limit", self.page), self.page))

    def _get(self, table: str, key: Item) -> Item | None:
        return self.tables[table].items.get(_key(key))

    def _batch(self, requests: dict[str, Any]) -> dict[str, Any]:
        if sum(len(asked["Keys"]) for asked in requests.values()) > _MOST:
            raise Refused("ValidationException")
        found = {
            table: [item for key in asked["Keys"] if (item := self._get(table, key))]
            for table, asked in requests.items()
        }
        return {"Responses": found, "UnprocessedKeys": {}}

    def _single(self, kind: str, parameters: dict[str, Any], caller: str) -> dict[str, Any]:
        write = self._prepared(kind, parameters)
        if write is None:
            raise Refused("ConditionalCheckFailedException")
        self._apply([write], caller)
        return {"Attributes": write.new or {}} if parameters.get("ReturnValues") == "ALL_NEW" else {}

    def _transact(self, parameters: dict[str, Any], caller: str) -> dict[str, Any]:
        actions = [next(iter(entry.items())) for entry in parameters["TransactItems"]]
        if self._repeated(parameters):
            return {}
        keys = [(given["TableName"], _key(given.get("Key") or given["Item"])) for _, given in actions]
        if len(actions) > _MOST or len(set(keys)) < len(keys):
            raise Refused("ValidationException")
        writes = [self._prepared(kind, given) for kind, given in actions]
        if None in writes:
            codes = ["ConditionalCheckFailed" if write is None else "None" for write in writes]
            raise Refused("TransactionCanceledException", [{"Code": code} for code in codes])
        self._apply([write for write in writes if write], caller)
        if token := parameters.get("ClientRequestToken"):
            self._tokens[token] = (_digest(parameters), self.clock())
        return {}

    def _repeated(self, parameters: dict[str, Any]) -> bool:
        known = self._tokens.get(parameters.get("ClientRequestToken", ""))
        if known is None or self.clock() - known[1] > _TOKEN_LIVES:
            return False
        if known[0] != _digest(parameters):
            raise Refused("IdempotentParameterMismatchException")
        return True

    def _prepared(self, kind: str, given: dict[str, Any]) -> Write | None:
        table, key = given["TableName"], _key(given.get("Key") or given["Item"])
        old = self.tables[table].items.get(key)
        scope = Scope(
            old or {}, given.get("ExpressionAttributeNames", {}), given.get("ExpressionAttributeValues", {})
        )
        if "ConditionExpression" in given and not condition(given["ConditionExpression"])(scope):
            return None
        match kind:
            case "Put":
                return Write(table, key, old, given["Item"])
            case "Delete":
                return Write(table, key, old, None)
            case "ConditionCheck":
                return Write(table, key, old, old)
        base = Scope(old or dict(given["Key"]), scope.names, scope.values)
        return Write(table, key, old, updated(given["UpdateExpression"], base))

    def _apply(self, writes: list[Write], caller: str) -> None:
        changed = [write for write in writes if write.old != write.new]
        for write in changed:
            self.tables[write.table].put(write.key, write.new)
            self.stream.append(_record(write, next(self._numbers)))
        if self.watch and changed:
            self.watch(caller, changed)


def _partition(expression: str, values: Item) -> str | None:
    """The partition's value: by convention of the broker the first comparison of a key condition."""
    first = expression.split(" AND ", maxsplit=1)[0].split("=")
    return values[first[1].strip()]["S"] if len(first) == 2 else None


def _page(
    found: list[tuple[Key, Item]], parameters: dict[str, Any], schema: Index, limit: int
) -> dict[str, Any]:
    if start := parameters.get("ExclusiveStartKey"):
        place = comparable(start[schema[1]]), _key(start)
        if parameters.get("ScanIndexForward", True):
            found = [(key, item) for key, item in found if (comparable(item[schema[1]]), key) > place]
        else:
            found = [(key, item) for key, item in found if (comparable(item[schema[1]]), key) < place]
    page = [item for _, item in found[:limit]]
    shown = [_projected(schema.projected(item), parameters) for item in page if _filtered(item, parameters)]
    answer: dict[str, Any] = {"Items": shown, "Count": len(shown)}
    if len(page) == limit:
        answer["LastEvaluatedKey"] = {name: page[-1][name] for name in ("pk", "sk", *schema[:2])}
    return answer


def _filtered(item: Item, parameters: dict[str, Any]) -> bool:
    if "FilterExpression" not in parameters:
        return True
    names, values = parameters.get("ExpressionAttributeNames", {}), parameters["ExpressionAttributeValues"]
    return condition(parameters["FilterExpression"])(Scope(item, names, values))


def _projected(item: Item, parameters: dict[str, Any]) -> Item:
    if "ProjectionExpression" not in parameters:
        return item
    names = parameters.get("ExpressionAttributeNames", {})
    wanted = {names.get(part.strip(), part.strip()) for part in parameters["ProjectionExpression"].split(",")}
    return {name: value for name, value in item.items() if name in wanted}


def _record(write: Write, number: int) -> dict[str, Any]:
    name = "INSERT" if write.old is None else "REMOVE" if write.new is None else "MODIFY"
    images = {"OldImage": write.old, "NewImage": write.new}
    return {
        "eventID": str(number), "eventName": name, "table": write.table,
        "dynamodb": {
            "Keys": {"pk": {"S": write.key[0]}, "sk": {"S": write.key[1]}}, "SequenceNumber": str(number),
            **{side: image for side, image in images.items() if image is not None},
        },
    }  # fmt: skip


def _key(item: Item) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


def _digest(parameters: dict[str, Any]) -> str:
    return json.dumps(parameters["TransactItems"], sort_keys=True)
