"""Where reconcile's passes stand: items of the request table that reconcile alone may write."""

from collections.abc import Iterator
from typing import TypeVar

from grant_broker.aws.dynamodb import Query
from grant_broker.aws.items import record_of
from grant_broker.aws.tables import Tables
from grant_broker.domain.place import KeyPlace, Place

P = TypeVar("P", bound=Place)


class Places:
    """The items `reconcile#…`, read consistently."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, first: P) -> P:
        """Get where a pass stands; `first` where there was none yet."""
        item = self._tables.database.get(self._tables.request_table, *first.key)
        return record_of(type(first), item) if item else first

    def list_keys(self) -> list[KeyPlace]:
        """List where the pass over each registered key stands, whose last one is longest ago first."""
        places = {place.subject: place for place in self._registered()}
        keys = [(subject, "reconcile") for subject in places]
        for item in self._tables.database.get_many(self._tables.request_table, keys):
            places[item["pk"]] = record_of(KeyPlace, item)
        return sorted(places.values(), key=lambda place: (place.finished_at is not None, place.finished_at))

    def _registered(self) -> Iterator[KeyPlace]:
        """Each key of the register, open or closed, as if its pass were at its beginning."""
        query = Query(
            table=self._tables.approval_table,
            index="by_kind",
            condition="kind = :kind",
            values={":kind": "key"},
            projection="pk",
        )
        for item in self._tables.database.query(query):
            yield KeyPlace(key_arn=str(item["pk"]).removeprefix("key#"))
