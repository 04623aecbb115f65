"""Pages of a list over an index: newest first, filtered, bounded work for each page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.items import serialized

_QUERIES = 10  # a filter that matches nothing must not read a whole table for one page


@dataclass(frozen=True)
class Listing:
    """One index, the partition of it that is listed, and the primary key of an item by its place."""

    table: str
    index: str
    name: str
    value: str
    prefix: str
    sort: str

    def start(self, place: str) -> dict[str, Any]:
        """The key after which the list goes on; `place` is an item's `listed_at`."""
        subject = place.partition("#")[2]
        return {"pk": f"{self.prefix}{subject}", "sk": self.sort, self.name: self.value, "listed_at": place}


@dataclass(frozen=True)
class Page:
    """Items, and the place after which the next page begins; None at the end."""

    items: list[dict[str, Any]]
    after: str | None


def page(
    database: DynamoDb,
    listing: Listing,
    *,
    limit: int,
    after: str | None,
    keep: Callable[[dict[str, Any]], bool],
) -> Page:
    """The next items that `keep` accepts; a page may hold fewer than `limit` and still have a next one."""
    found: list[dict[str, Any]] = []
    for _ in range(_QUERIES):
        rows = database.rows(
            TableName=listing.table,
            IndexName=listing.index,
            condition="#name = :value",
            values={":value": listing.value},
            ExpressionAttributeNames={"#name": listing.name},
            ScanIndexForward=False,
            Limit=limit,
            ExclusiveStartKey=serialized(listing.start(after)) if after else None,
        )
        for item in rows.items:
            after = item["listed_at"]
            found += [item] if keep(item) else []
            if len(found) == limit:
                return Page(found, after)
        if rows.last is None:
            return Page(found, None)
    return Page(found, after)
