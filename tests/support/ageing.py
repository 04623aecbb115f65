"""A closed request, as it would be weeks later: for stacks whose clock is the machine's."""

from datetime import UTC, datetime, timedelta
from typing import Any

from grant_broker.domain.times import format_time


def age(dynamodb: Any, table: str, request_id: str, *, days: int) -> None:
    """Put a request's times back by so many days, with nothing left to be done about it."""
    then = datetime.now(UTC) - timedelta(days=days)
    dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": f"request#{request_id}"}, "sk": {"S": "request"}},
        UpdateExpression=(
            "SET created_at = :then, ended_at = :then, listed_at = :place REMOVE due, agenda, #action"
        ),
        ExpressionAttributeNames={"#action": "action"},
        ExpressionAttributeValues={
            ":then": {"S": format_time(then)},
            ":place": {"S": f"{int(then.timestamp() * 1000):013d}#{request_id}"},
        },
    )


def forget_pass(dynamodb: Any, table: str) -> None:
    """Have the next run of reconcile begin its pass over closed requests, whenever the last one was."""
    key = {"pk": {"S": "reconcile#archive"}, "sk": {"S": "reconcile"}}
    dynamodb.delete_item(TableName=table, Key=key)
