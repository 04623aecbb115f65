"""What moto's DynamoDB goes back to when a transaction fails: a copy of each table that it touches.

moto copies whole tables, with every item and all that was ever streamed, for every transaction. Here the
copy shares the items: a put sets a new one in the place of the old, which stays what it was.
"""

import copy
from collections import defaultdict
from typing import Any

from moto.dynamodb.models.table import Table


def install() -> None:
    """Have moto copy tables like this from now on, in the whole process."""
    Table.__deepcopy__ = _snapshot  # type: ignore[attr-defined]


def _snapshot(table: Table, _memo: dict[int, Any]) -> Table:
    # An Update inside of a transaction would change an item where it is: nobody makes one here.
    kept = copy.copy(table)
    kept.items = defaultdict(dict, {name: dict(items) for name, items in table.items.items()})
    if table.stream_shard:
        kept.stream_shard = copy.copy(table.stream_shard)
        kept.stream_shard.items = list(table.stream_shard.items)
    return kept
