"""The versions of keys' limits in the approval table, beside the keys that they are of."""

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from grant_broker.aws.attributes import Item, serialized
from grant_broker.aws.dynamodb import Query, Write
from grant_broker.aws.tables import Tables
from grant_broker.domain.limits_in_force import LimitsVersion

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import PutTypeDef

_LOG = logging.getLogger(__name__)
_SORT = "version#"


class LimitsVersions:
    """The items `version#<number>` in the partition of each key. They stay for good: limits rarely change."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def list(self, key_arn: str) -> "list[LimitsVersion]":
        """List the versions of a key's limits that can be read, the oldest first; consistent."""
        query = Query(
            table=self._tables.approval_table,
            condition="pk = :key AND begins_with(sk, :versions)",
            values={":key": f"key#{key_arn}", ":versions": _SORT},
            consistent=True,
        )
        return list(_readable(self._tables.database.query(query)))

    def has(self, version: LimitsVersion) -> bool:
        """Whether a version is kept already."""
        pk, sk = _key_of(version)
        return self._tables.database.get(self._tables.approval_table, pk, sk) is not None

    def keep(self, version: LimitsVersion) -> Write:
        """Make the write, for the transaction that changes the key, that keeps a version of its limits."""
        pk, sk = _key_of(version)
        item = {"pk": pk, "sk": sk, **version.model_dump(mode="json")}
        put: PutTypeDef = {
            "TableName": self._tables.approval_table,
            "Item": serialized(item),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        return {"Put": put}


def _key_of(version: LimitsVersion) -> tuple[str, str]:
    return f"key#{version.document.key_arn}", f"{_SORT}{version.number:06d}"


def _readable(items: Iterable[Item]) -> Iterator[LimitsVersion]:
    """The versions in items; one that cannot be read is logged, and nothing is known of its time."""
    for item in items:
        try:
            yield LimitsVersion.model_validate(item)
        except ValidationError:
            _LOG.exception("a version of a key's limits cannot be read", extra={"item": item["sk"]})
