"""Pages of a list over an index: filtered, with bounded work for each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from grant_broker.aws.attributes import Item
from grant_broker.aws.dynamodb import DynamoDb, Query
from grant_broker.domain.stored import listed_from

T = TypeVar("T")
_QUERIES = 10  # a filter that matches nothing must not read a whole table for one page


@dataclass(frozen=True)
class Listing:
    """One index and the partition of it that is listed: from `since` up to but without `until`.

    `prefix` and `sort` make the primary key of an item from its place.
    """

    table: str
    index: str
    name: str
    value: str
    prefix: str
    sort: str
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False

    def key_at(self, place: str) -> tuple[str, str]:
        """The primary key of the item at a place, which is its `listed_at`."""
        return f"{self.prefix}{place.partition('#')[2]}", self.sort

    def start(self, place: str) -> Item:
        """The key after which the list goes on."""
        pk, sk = self.key_at(place)
        return {"pk": pk, "sk": sk, self.name: self.value, "listed_at": place}

    @property
    def bounds(self) -> tuple[str, str]:
        """The least and the greatest `listed_at`: a place goes on behind its time, so that it is greater."""
        return listed_from(self.since) if self.since else "0", listed_from(self.until) if self.until else "~"


@dataclass(frozen=True)
class EventListing(Listing):
    """All events, whatever they are about."""

    prefix: str = ""
    sort: str = "event#"

    def key_at(self, place: str) -> tuple[str, str]:
        """The primary key of the event at a place."""
        subject, _, number = place.partition("#")[2].rpartition("#")
        return subject, f"{self.sort}{number}"


class Page(NamedTuple, Generic[T]):
    """Records, and the place after which the next page begins; None at the end."""

    records: list[T]
    after: str | None


def read_page(
    database: DynamoDb, listing: Listing, *, limit: int, after: str | None, keep: Callable[[Item], bool]
) -> Page[Item]:
    """Read the next items that `keep` accepts: at most `limit`, or fewer although there is a next page."""
    found: list[Item] = []
    least, greatest = listing.bounds
    if after and not least <= after <= greatest:
        # DynamoDB refuses to start outside what is asked for. Only a forged cursor leads there.
        return Page(found, None)
    for _ in range(_QUERIES):
        query = Query(
            table=listing.table,
            index=listing.index,
            condition="#name = :value AND listed_at BETWEEN :least AND :greatest",
            values={":value": listing.value, ":least": least, ":greatest": greatest},
            names={"#name": listing.name},
            descending=not listing.oldest_first,
            limit=limit,
            start=listing.start(after) if after else None,
        )
        rows = database.rows(query)
        for item in rows.items:
            after = item["listed_at"]
            found += [item] if keep(item) else []
            if len(found) == limit:
                return Page(found, after)
        if rows.last is None:
            return Page(found, None)
    return Page(found, after)
