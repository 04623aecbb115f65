"""Where the passes over registered keys stand. Apart from the other places: `reconcile` alone reads these."""

from collections.abc import Iterator

from grant_broker.aws.dynamodb import Query
from grant_broker.aws.items import record_of
from grant_broker.aws.tables import Tables
from grant_broker.domain.passes import KeyPlace


def list_key_places(tables: Tables) -> list[KeyPlace]:
    """List where the pass over each registered key stands, the one of longest ago first; consistent."""
    places = {place.subject: place for place in _registered(tables)}
    keys = [place.key for place in places.values()]
    for item in tables.database.get_many(tables.request_table, keys):
        places[item["pk"]] = record_of(KeyPlace, item)
    return sorted(places.values(), key=lambda place: (place.finished_at is not None, place.finished_at))


def _registered(tables: Tables) -> Iterator[KeyPlace]:
    """Each key of the register, open or closed, as if its pass were at its beginning."""
    query = Query(
        table=tables.approval_table,
        index="by_kind",
        condition="kind = :kind",
        values={":kind": "key"},
        projection="pk",
    )
    for item in tables.database.query(query):
        yield KeyPlace(key_arn=str(item["pk"]).removeprefix("key#"))
