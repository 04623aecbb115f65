"""DynamoDB reads and transactions, with errors told apart: stale, or nobody knows."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.aws.answers import code_of, uncertain
from grant_broker.aws.items import plain, serialized
from grant_broker.domain.backoff import backoff
from grant_broker.domain.errors import DatabaseRefused, Stale, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ATTEMPTS = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.4  # seconds
_BATCH = 100  # BatchGetItem, RequestItems


@dataclass(frozen=True)
class Rows:
    """Items of one Query call, and where the next call starts; None at the end."""

    items: list[dict[str, Any]]
    last: dict[str, Any] | None


class DynamoDb:
    """The few DynamoDB calls that the broker makes, on plain values."""

    def __init__(self, client: "DynamoDBClient", *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def get(self, table: str, pk: str, sk: str) -> dict[str, Any] | None:
        """One item, read consistently."""
        key = serialized({"pk": pk, "sk": sk})
        answer = self._call("get_item", TableName=table, Key=key, ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def get_many(self, table: str, keys: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
        """The items of these keys (pk, sk) that exist, read consistently, in no order.

        Unavailable where DynamoDB left some unread (BatchGetItem, UnprocessedKeys) attempt after attempt.
        """
        wanted = [serialized({"pk": pk, "sk": sk}) for pk, sk in dict.fromkeys(keys)]
        chunks = (wanted[start : start + _BATCH] for start in range(0, len(wanted), _BATCH))
        return [item for chunk in chunks for item in self._batch(table, chunk)]

    def _batch(self, table: str, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        left: dict[str, Any] = {table: {"Keys": keys, "ConsistentRead": True}}
        for attempt in range(_ATTEMPTS):
            answer = self._call("batch_get_item", RequestItems=left)
            yield from (plain(item) for item in answer["Responses"].get(table, ()))
            if not (left := answer.get("UnprocessedKeys", {})):
                return
            self._sleep(backoff(attempt, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE))
        raise Unavailable("the database is busy", retry_after=2)

    def rows(self, *, condition: str, values: dict[str, Any], **parameters: Any) -> Rows:  # noqa: ANN401
        """One page of a Query."""
        answer = self._call(
            "query",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=serialized(values),
            **{name: value for name, value in parameters.items() if value is not None},
        )
        return Rows([plain(item) for item in answer["Items"]], answer.get("LastEvaluatedKey"))

    def query(self, **parameters: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        """All items of a Query, page after page as they are asked for."""
        start = None
        while True:
            rows = self.rows(**parameters, ExclusiveStartKey=start)
            yield from rows.items
            if (start := rows.last) is None:
                return

    def update(self, table: str, pk: str, sk: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
        """One conditional UpdateItem; Stale where its condition fails. Returns the new attributes."""
        values = serialized(parameters.pop("values"))
        key = serialized({"pk": pk, "sk": sk})
        answer = self._unless_held(
            "update_item",
            TableName=table,
            Key=key,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
            **parameters,
        )
        return plain(answer["Attributes"])

    def transact(self, items: Sequence[dict[str, Any]]) -> None:
        """All writes or none. Stale where a condition failed, Unavailable where the outcome is not known.

        A conflict with another transaction on the same item had no effect and is tried again.
        """
        self._unless_held("transact_write_items", TransactItems=list(items))

    def _unless_held(self, operation: str, **parameters: Any) -> Any:  # noqa: ANN401 - one shape per operation
        """A write, tried again while another transaction holds one of its items."""
        for attempt in range(_ATTEMPTS):
            try:
                return self._call(operation, **parameters)
            except _TransactionConflict:
                self._sleep(backoff(attempt, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE))
        raise Unavailable("another change is under way", retry_after=1)

    def _call(self, operation: str, **parameters: Any) -> Any:  # noqa: ANN401 - one shape per operation
        try:
            return getattr(self._client, operation)(**parameters)
        except (ClientError, BotoCoreError) as error:
            raise _typed(error) from error


class _TransactionConflict(Exception):  # noqa: N818 - DynamoDB's name
    """Another transaction holds one of the items: nothing was written."""


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
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
    if "ConditionalCheckFailed" in reasons:
        return Stale("the record has changed")
    if "TransactionConflict" in reasons:
        return _TransactionConflict("TransactionConflict")
    if "ValidationError" in reasons:
        return DatabaseRefused(str(error))
    # Throttled, or over a capacity limit.
    return Unavailable("the database is busy", retry_after=2)
