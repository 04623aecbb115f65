"""Read the requests of several statuses, a page at a time, from where an earlier run stopped."""

import json
from collections.abc import Callable, Iterator, Sequence

from grant_broker.aws.attributes import Item
from grant_broker.aws.dynamodb import DynamoDb, Query
from grant_broker.domain.lifecycle import Status

PAGE = 500
"""Items of the index that one Query evaluates."""


def beginning(statuses: Sequence[Status]) -> str:
    """The marker of the first page."""
    return json.dumps({statuses[0]: None})


def read_pages(
    database: DynamoDb,
    statuses: Sequence[Status],
    query_of: Callable[[Status, Item | None], Query],
    marker: str,
) -> Iterator[tuple[list[Item], str | None]]:
    """Read items status by status; each page with the marker of the next one, None at the end."""
    begin: dict[str, Item | None] = json.loads(marker)
    [(first, start)] = begin.items()
    left = statuses[statuses.index(Status(first)) :]
    for status, following in zip(left, (*left[1:], None), strict=True):
        while True:
            rows = database.rows(query_of(status, start))
            start = rows.last
            after = {status: start} if start else {following: None} if following else None
            yield rows.items, json.dumps(after) if after else None
            if start is None:
                break
