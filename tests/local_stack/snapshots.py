"""moto's DynamoDB transactions without their price: moto copies a table whole for every item written.

A snapshot shares the items instead. What moto changes in place, an update's item, is exchanged for a copy
first, so that a transaction that is rolled back finds everything as it was.
"""

import copy
from collections import defaultdict
from typing import Any, cast

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

_update_item = DynamoDBBackend.update_item


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


def install() -> None:
    """Make moto's transactions cheap, in this process."""
    Table.__deepcopy__ = _snapshot  # type: ignore[attr-defined]
    DynamoDBBackend.update_item = _update_a_copy  # type: ignore[method-assign]
