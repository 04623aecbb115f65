"""Marks of the records that reconcile made for grants without one, in a partition that it alone can write."""

from collections.abc import Collection

from grant_broker.aws.attributes import serialized
from grant_broker.aws.dynamodb import Write
from grant_broker.aws.tables import Tables
from grant_broker.domain.request import GrantRequest

_PARTITION, _SORT = "reconcile#adopted#", "adopted"
_KEPT = 30 * 86_400
"""Seconds that a mark is kept after its grant's end; without it the grant is judged more strictly."""


class Adoptions:
    """The items `reconcile#adopted#<record id>`.

    What was submitted is lost with a record, so the one in its place has not the content that was voted on.
    Whoever can write records must not be able to say so of any other.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find_all(self, record_ids: Collection[str]) -> set[str]:
        """Find which of these records reconcile made."""
        keys = [(f"{_PARTITION}{name}", _SORT) for name in record_ids]
        items = self._tables.database.get_many(self._tables.request_table, keys)
        return {item["pk"].removeprefix(_PARTITION) for item in items}

    def mark(self, record: GrantRequest) -> Write:
        """Make the write, for the transaction that stores such a record, that says where it is from."""
        ends = record.expires_at or record.created_at
        item = {"pk": f"{_PARTITION}{record.id}", "sk": _SORT, "expires": int(ends.timestamp()) + _KEPT}
        return {"Put": {"TableName": self._tables.request_table, "Item": serialized(item)}}
