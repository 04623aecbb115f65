"""What DynamoDB and KMS would bill: request units by DynamoDB's rules, counted call by call."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.local_aws.answers import Response
from tests.local_aws.cloud import AwsCall
from tests.local_stack.template import Template
from tests.support.scene import InProcessStack

Item = Mapping[str, Any]
_KB = 1024
_AGAIN = 2  # a transaction writes twice: to prepare and to commit


@dataclass
class Meter:
    """Calls by operation, and the request units of those to DynamoDB."""

    scene: InProcessStack
    calls: Counter[str] = field(default_factory=Counter)
    reads: float = 0.0
    writes: float = 0.0

    def intercept(self, call: AwsCall, go_on: Any) -> Response | None:
        """The cloud's hook."""
        self.calls[f"{call.service}:{call.operation}"] += 1
        if call.service != "dynamodb":
            return None
        # Before the call takes effect, since what an index is written depends on what it holds.
        writes = sum(self._written(change) for change in changes_of(call))
        answer: Response = go_on()
        if answer[0] == 200:
            self.writes += writes
            self.reads += read_units(call, json.loads(answer[2]))
        return answer

    def _written(self, change: Item) -> float:
        [(kind, given)] = change.items()
        table, key = given["TableName"], _key(given.get("Key") or given["Item"])
        before = self._stored(table, key)
        after = {} if kind == "Delete" else given.get("Item", before)
        indexes = indexes_of(self.scene.deployment.template, table) if kind != "ConditionCheck" else []
        return written_units(indexes, before, after)

    def _stored(self, table: str, key: Item) -> Item:
        self.scene.cloud.intercept = None
        try:
            found: Item = self.scene.tables.get_item(TableName=table, Key=key).get("Item", {})
        finally:
            self.scene.cloud.intercept = self.intercept
        return found


def indexes_of(template: Template, table: str) -> Sequence[Item]:
    """The secondary indexes of a table, as the template has them."""
    for name in template.named("AWS::DynamoDB::Table"):
        if template.reference(name, None) == table:
            found: Sequence[Item] = template.properties(name).get("GlobalSecondaryIndexes", [])
            return found
    raise KeyError(table)


def written_units(indexes: Sequence[Item], before: Item, after: Item) -> float:
    """What it costs to write an item in a transaction, with its entries in these indexes."""
    size = max(_size(before), _size(after), 1)
    return _AGAIN * math.ceil(size / _KB) + sum(_index_units(each, before, after) for each in indexes)


def changes_of(call: AwsCall) -> Iterator[Item]:
    """What a call writes: each change by its kind."""
    if call.operation == "TransactWriteItems":
        yield from call.parameters["TransactItems"]
    elif call.operation in {"UpdateItem", "PutItem"}:
        yield {"Update": call.parameters}


def _key(item: Item) -> Item:
    return {name: item[name] for name in ("pk", "sk")}


def _index_units(index: Item, before: Item, after: Item) -> int:
    old, new = _projected(index, before), _projected(index, after)
    if old == new:
        return 0
    keys = [each["AttributeName"] for each in index["KeySchema"]]
    moved = bool(old and new) and [old[key] for key in keys] != [new[key] for key in keys]
    return math.ceil(max(_size(old), _size(new)) / _KB) * (2 if moved else 1)


def _projected(index: Item, item: Item) -> Item:
    """What an index holds of an item; nothing where the item lacks one of its keys."""
    keys = [each["AttributeName"] for each in index["KeySchema"]]
    if any(key not in item for key in keys):
        return {}
    if index["Projection"]["ProjectionType"] == "ALL":
        return item
    names = {*keys, "pk", "sk", *index["Projection"].get("NonKeyAttributes", [])}
    return {name: value for name, value in item.items() if name in names}


def read_units(call: AwsCall, answer: Item) -> float:
    """What an answer costs to read."""
    if call.operation == "GetItem":
        return _units([answer.get("Item", {})], consistent=call.parameters.get("ConsistentRead", False))
    if call.operation == "BatchGetItem":
        found = [item for items in answer["Responses"].values() for item in items]
        asked = sum(len(each["Keys"]) for each in call.parameters["RequestItems"].values())
        return sum(_units([item], consistent=True) for item in found) + asked - len(found)
    if call.operation in {"Query", "Scan"}:
        whole = {"size": {"S": "x" * sum(map(_size, answer["Items"]))}}
        return _units([whole], consistent=call.parameters.get("ConsistentRead", False))
    return 0.0


def _units(items: Sequence[Item], *, consistent: bool) -> float:
    return sum(max(1, math.ceil(_size(item) / (4 * _KB))) for item in items) * (1.0 if consistent else 0.5)


def _size(item: Item) -> int:
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Item) -> int:
    [(kind, held)] = value.items()
    if kind == "M":
        return 3 + sum(len(name.encode()) + _value_size(each) + 1 for name, each in held.items())
    if kind == "L":
        return 3 + sum(_value_size(each) + 1 for each in held)
    return len(str(held).encode()) if kind in {"S", "N", "B"} else 1


@contextmanager
def metered(scene: InProcessStack) -> Iterator[Meter]:
    """Meter what is called meanwhile."""
    meter, outer = Meter(scene), scene.cloud.intercept
    scene.cloud.intercept = meter.intercept
    try:
        yield meter
    finally:
        scene.cloud.intercept = outer
