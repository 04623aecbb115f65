"""The two tables, and what is read of them by its key."""

from typing import TypeVar

from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.items import record_of
from grant_broker.domain.stored import Stored, Table

S = TypeVar("S", bound=Stored)


class Tables:
    """The request table, and the approval table where the function's role may use it."""

    def __init__(self, database: DynamoDb, request_table: str, approval_table: str | None) -> None:
        self.database = database
        self.request_table = request_table
        self._approval_table = approval_table

    @property
    def approval_table(self) -> str:
        """The approval table's name; LookupError in a function that was told none."""
        if self._approval_table is None:
            raise LookupError("this function works without the approval table")
        return self._approval_table

    @property
    def has_approval_table(self) -> bool:
        """Whether the approval table was named."""
        return self._approval_table is not None

    def table_of(self, record: Stored | type[Stored]) -> str:
        """The name of the table that something is stored in."""
        return self.request_table if record.TABLE == Table.REQUESTS else self.approval_table

    def find(self, model: type[S], key: tuple[str, str]) -> S | None:
        """Find a record by its primary key; a consistent read."""
        item = self.database.get(self.table_of(model), *key)
        return record_of(model, item) if item else None
