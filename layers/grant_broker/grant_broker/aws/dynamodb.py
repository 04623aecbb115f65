"""DynamoDB reads and transactions, with errors told apart: stale, or nobody knows."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.aws.answers import code_of, uncertain
from grant_broker.aws.attributes import Attributes, Item, plain, serialized
from grant_broker.domain.backoff import backoff
from grant_broker.domain.errors import DatabaseRefused, Stale, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        KeysAndAttributesUnionTypeDef,
        QueryInputTypeDef,
        TransactWriteItemTypeDef,
        UpdateItemInputTypeDef,
    )

T = TypeVar("T")
Write: TypeAlias = "TransactWriteItemTypeDef"
"""One item of a transaction."""
_ATTEMPTS = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.4  # seconds
_BATCH = 100  # BatchGetItem, RequestItems


@dataclass(frozen=True, kw_only=True)
class Query:
    """What to read of one partition of a table or an index, in the order of its sort key.

    `condition`, `filter` and `projection` are DynamoDB's expressions, with `values` for their `:names` and
    `names` for their `#names`. `limit` is how many items one page evaluates.
    """

    table: str
    condition: str
    values: Mapping[str, object]
    index: str | None = None
    names: Mapping[str, str] | None = None
    filter: str | None = None
    projection: str | None = None
    descending: bool = False
    consistent: bool = False
    limit: int | None = None
    start: Item | None = None

    def parameters(self) -> "QueryInputTypeDef":
        """What Query is asked; it takes no parameter that is None."""
        asked: QueryInputTypeDef = {
            "TableName": self.table,
            "KeyConditionExpression": self.condition,
            "ExpressionAttributeValues": serialized(self.values),
            "ScanIndexForward": not self.descending,
        }
        if self.index:
            asked["IndexName"] = self.index
        if self.names:
            asked["ExpressionAttributeNames"] = self.names
        if self.filter:
            asked["FilterExpression"] = self.filter
        if self.projection:
            asked["ProjectionExpression"] = self.projection
            # What DynamoDB takes it to mean anyway: said, so that a policy can ask for it.
            asked["Select"] = "SPECIFIC_ATTRIBUTES"
        if self.consistent:
            asked["ConsistentRead"] = True
        if self.limit is not None:
            asked["Limit"] = self.limit
        if self.start:
            asked["ExclusiveStartKey"] = serialized(self.start)
        return asked


class Rows(NamedTuple):
    """Items of one Query call, and where the next call starts; None at the end."""

    items: list[Item]
    last: Item | None


class DynamoDb:
    """The few DynamoDB calls that the broker makes, on plain values."""

    def __init__(self, client: "DynamoDBClient", *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def get(self, table: str, pk: str, sk: str) -> Item | None:
        """Read one item consistently."""
        with _errors():
            answer = self._client.get_item(TableName=table, Key=_key(pk, sk), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def get_many(self, table: str, keys: Iterable[tuple[str, str]]) -> list[Item]:
        """Read the items of these keys (pk, sk) that exist, consistently, in no order.

        Unavailable where DynamoDB left some unread (BatchGetItem, UnprocessedKeys) attempt after attempt.
        """
        wanted = [_key(pk, sk) for pk, sk in dict.fromkeys(keys)]
        chunks = (wanted[start : start + _BATCH] for start in range(0, len(wanted), _BATCH))
        return [item for chunk in chunks for item in self._batch(table, chunk)]

    def _batch(self, table: str, keys: list[Attributes]) -> Iterator[Item]:
        left: Mapping[str, KeysAndAttributesUnionTypeDef] = {table: {"Keys": keys, "ConsistentRead": True}}
        for attempt in range(_ATTEMPTS):
            with _errors():
                answer = self._client.batch_get_item(RequestItems=left)
            yield from (plain(item) for item in answer["Responses"].get(table, ()))
            if not (left := answer.get("UnprocessedKeys", {})):
                return
            self._sleep(backoff(attempt, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE))
        raise Unavailable("the database is busy", retry_after=2)

    def rows(self, query: Query) -> Rows:
        """Read one page of a Query."""
        with _errors():
            answer = self._client.query(**query.parameters())
        last = answer.get("LastEvaluatedKey")
        return Rows([plain(item) for item in answer["Items"]], plain(last) if last else None)

    def query(self, query: Query) -> Iterator[Item]:
        """Read all items of a Query, page after page as they are asked for."""
        while True:
            rows = self.rows(query)
            yield from rows.items
            if rows.last is None:
                return
            query = replace(query, start=rows.last)

    def update(
        self,
        table: str,
        pk: str,
        sk: str,
        *,
        expression: str,
        values: Mapping[str, object],
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
    ) -> Item:
        """Change one item in place and return its attributes; Stale where the condition fails."""
        asked: UpdateItemInputTypeDef = {
            "TableName": table,
            "Key": _key(pk, sk),
            "UpdateExpression": expression,
            "ExpressionAttributeValues": serialized(values),
            "ReturnValues": "ALL_NEW",
        }
        if condition:
            asked["ConditionExpression"] = condition
        if names:
            asked["ExpressionAttributeNames"] = names
        answer = self._retry_conflict(lambda: self._client.update_item(**asked))
        return plain(answer["Attributes"])

    def transact(self, items: Sequence[Write]) -> None:
        """Write all or none. Stale where a condition failed, Unavailable where the outcome is not known."""
        self._retry_conflict(lambda: self._client.transact_write_items(TransactItems=items))

    def _retry_conflict(self, write: Callable[[], T]) -> T:
        """Write, again while another transaction holds one of the items: such a conflict had no effect."""
        for attempt in range(_ATTEMPTS):
            try:
                with _errors():
                    return write()
            except _TransactionConflict:
                self._sleep(backoff(attempt, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE))
        raise Unavailable("another change is under way", retry_after=1)


class _TransactionConflict(Exception):  # noqa: N818 - DynamoDB's name
    """Another transaction holds one of the items: nothing was written."""


@contextmanager
def _errors() -> Iterator[None]:
    """Raise the broker's errors instead of botocore's."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise _typed(error) from error


def _typed(error: ClientError | BotoCoreError) -> Exception:
    code = code_of(error)
    if isinstance(error, ClientError) and code == "TransactionCanceledException":
        return _cancelled(error)
    if code == "ConditionalCheckFailedException":
        return Stale("the record has changed")
    if code == "TransactionConflictException":
        return _TransactionConflict(code)
    if uncertain(error):
        return Unavailable("the database did not answer", retry_after=2)
    return DatabaseRefused(str(error))


def _cancelled(error: ClientError) -> Exception:
    given: Any = error.response.get("CancellationReasons", [])
    reasons = {reason.get("Code") for reason in given}
    if "ConditionalCheckFailed" in reasons:
        return Stale("the record has changed")
    if "TransactionConflict" in reasons:
        return _TransactionConflict("TransactionConflict")
    if "ValidationError" in reasons:
        return DatabaseRefused(str(error))
    # Throttled, or over a capacity limit.
    return Unavailable("the database is busy", retry_after=2)


def _key(pk: str, sk: str) -> Attributes:
    return serialized({"pk": pk, "sk": sk})
