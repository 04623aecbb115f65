"""moto's DynamoDB without its price: it copies a table whole for every item that a transaction writes, and
converts an item whole, once for each attribute, where an index or a query asks for some of them.

A snapshot shares the items instead. What moto changes in place, an update's item, is exchanged for a copy
first, so that a transaction that is rolled back finds everything as it was. What is projected is picked.
"""

import copy
from collections import defaultdict, deque
from typing import Any, cast

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

_update_item = DynamoDBBackend.update_item
_project = Item.project


def _snapshot(table: Table, _memo: dict[int, Any]) -> Table:
    made = cast("Any", object.__new__(type(table)))
    vars(made).update(vars(table))
    rows = {key: dict(found) if table.has_range_key else found for key, found in table.items.items()}
    made.items = defaultdict(dict, rows)
    if table.stream_shard is not None:
        made.stream_shard = object.__new__(type(table.stream_shard))
        vars(made.stream_shard).update(vars(table.stream_shard))
        made.stream_shard.items, made.stream_shard.table = list(table.stream_shard.items), made
    return made  # type: ignore[no-any-return]


def _update_a_copy(
    self: DynamoDBBackend, table_name: str, key: dict[str, Any], *rest: Any, **more: Any
) -> Any:
    table: Any = self.get_table(table_name)
    hash_value, range_value = self.get_keys_value(table, key)
    item = table.get_item(hash_value, range_value)
    if item is not None and table.has_range_key:
        table.items[hash_value][range_value] = copy.deepcopy(item)
    elif item is not None:
        table.items[hash_value] = copy.deepcopy(item)
    return _update_item(self, table_name, key, *rest, **more)


def _pick(self: Item, projection_expressions: list[list[str]]) -> Item:
    if any(len(path) > 1 or "[" in path[0] for path in projection_expressions):
        return _project(self, projection_expressions)
    names = {path[0] for path in projection_expressions}
    picked = Item(hash_key=self.hash_key, range_key=self.range_key, attrs={})
    for name, value in self.attrs.items():
        if name in names:
            # The size of what is stored already was checked when it was.
            dict.__setitem__(picked.attrs, name, value)
    return picked


def install() -> None:
    """Make moto's transactions and projections cheap, in this process, and let it forget what it copied."""
    # moto lists every model ever made, each copy that a query answers with too: memory that only grows.
    Item.instances_tracked = deque(maxlen=0)  # type: ignore[attr-defined]
    Table.__deepcopy__ = _snapshot  # type: ignore[attr-defined]
    DynamoDBBackend.update_item = _update_a_copy  # type: ignore[method-assign]
    Item.project = _pick  # type: ignore[method-assign]
