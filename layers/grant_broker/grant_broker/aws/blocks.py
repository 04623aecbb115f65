"""Blocks in the approval table: read beside what a grant rests on, and checked where its intent is stored."""

from datetime import datetime
from typing import TYPE_CHECKING

from grant_broker.aws.attributes import serialized
from grant_broker.aws.dynamodb import Query, Write
from grant_broker.aws.items import key_of, readable, record_of
from grant_broker.aws.tables import Tables
from grant_broker.domain.blocks import Block, Selectors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ConditionCheckTypeDef


class Blocks:
    """The items `block#<selectors>`: one for each combination that was ever blocked."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find(self, selectors: Selectors) -> Block | None:
        """Find the block of exactly these selectors, whether it holds or not; a consistent read."""
        return self._tables.find(Block, Block(selectors=selectors).key)

    def find_matching(self, about: Selectors) -> list[Block]:
        """Find all blocks that match a grant, whether they hold or not, in one consistent read."""
        keys = [Block(selectors=each).key for each in about.wider]
        items = self._tables.database.get_many(self._tables.approval_table, keys)
        return [record_of(Block, item) for item in items]

    def unblocked(self, about: Selectors, now: datetime) -> list[Write]:
        """Make the checks, for a transaction, that no block matches a grant and holds."""
        return [self._not_held(Block(selectors=each), int(now.timestamp())) for each in about.wider]

    def list(self) -> "list[Block]":
        """List all blocks, also those that hold no more; from an index, which may be some seconds behind.

        One that cannot be read is logged, and hides no other.
        """
        query = Query(
            table=self._tables.approval_table,
            index="by_kind",
            condition="kind = :kind",
            values={":kind": "block"},
        )
        return list(readable(Block, self._tables.database.query(query)))

    def _not_held(self, block: Block, second: int) -> Write:
        check: ConditionCheckTypeDef = {
            "TableName": self._tables.approval_table,
            "Key": key_of(block),
            "ConditionExpression": "attribute_not_exists(pk) OR blocked_until <= :now",
            "ExpressionAttributeValues": serialized({":now": second}),
        }
        return {"ConditionCheck": check}
