"""Marks in the approval table that a request was used: `expiry` writes them, the others look."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from pydantic import ValidationError

from grant_broker.aws.attributes import Item, serialized
from grant_broker.aws.dynamodb import Write
from grant_broker.aws.tables import Tables
from grant_broker.domain.uses import Use

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ConditionCheckTypeDef

_PARTITION, _SORT = "used#", "used"


class Uses:
    """The items `used#<request id>`: one for each request whose grant has ended.

    They stay for good, without a TTL. A standing approval may hold for a year, and a backup of the request
    table may be older than that: for as long as anything could cover a grant of the request again, or bring
    its record back, the mark must be there. It costs about 200 bytes a grant.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find(self, request_id: str) -> Use | None:
        """Find whether a request was used; a consistent read."""
        item = self._tables.database.get(self._tables.approval_table, f"{_PARTITION}{request_id}", _SORT)
        return _use_of(item) if item else None

    def find_all(self, request_ids: Collection[str]) -> dict[str, Use]:
        """Find those of these requests that were used, by id."""
        keys = [(f"{_PARTITION}{name}", _SORT) for name in request_ids]
        items = self._tables.database.get_many(self._tables.approval_table, keys)
        return {use.request_id: use for use in map(_use_of, items)}

    def mark(self, use: Use) -> Write:
        """Make the write that marks a request as used. A repeat changes nothing: it has no condition."""
        item = {"pk": f"{_PARTITION}{use.request_id}", "sk": _SORT, **use.model_dump(mode="json")}
        return {"Put": {"TableName": self._tables.approval_table, "Item": serialized(item)}}

    def unused(self, request_id: str) -> Write:
        """Make the check, for a transaction, that a request was not used."""
        check: ConditionCheckTypeDef = {
            "TableName": self._tables.approval_table,
            "Key": serialized({"pk": f"{_PARTITION}{request_id}", "sk": _SORT}),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        return {"ConditionCheck": check}


def _use_of(item: Item) -> Use:
    try:
        return Use.model_validate(item)
    except ValidationError:
        # That it is there says enough.
        return Use.unreadable(str(item["pk"]).removeprefix(_PARTITION))
