"""The agenda: what must happen next to requests and checks, and when."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import NamedTuple

from grant_broker.aws.attributes import Item
from grant_broker.aws.dynamodb import Query
from grant_broker.aws.tables import Tables
from grant_broker.domain.agenda import Part, agenda_partition
from grant_broker.domain.arns import find_region
from grant_broker.domain.checks import Function
from grant_broker.domain.errors import Stale, Unavailable
from grant_broker.domain.lifecycle import Action
from grant_broker.domain.times import LATEST

_LOG = logging.getLogger(__name__)
_PAGE = 500  # entries read at a time
_OLD = "agenda"
"""The one partition that version 0.1 put every entry into."""


class AgendaEntry(NamedTuple):
    """An entry, read without its record, so that a record that cannot be read hides no other.

    `id` is the request's, None where the item is no request at all. `due` is in epoch seconds.
    """

    id: str | None
    due: int
    key: tuple[str, str]
    grant_id: str | None = None
    key_arn: str | None = None


class Coming(NamedTuple):
    """Entries, earliest first. Not `complete`: the database did not answer for all of them."""

    entries: list[AgendaEntry]
    complete: bool = True


class End(NamedTuple):
    """An end on the agenda: in which epoch second, and as the item says, of which grant and request.

    `region` is its key's, None where the item names none.
    """

    due: int
    grant_id: str
    request_id: str
    region: str | None = None


class EndsCount(NamedTuple):
    """How many ends fall due in each epoch second; not `complete`: there are more, later ones.

    All seconds that were read are among these, also where none is counted: then the last says how far.
    """

    dues: Counter[int]
    complete: bool


class Around(NamedTuple):
    """A stretch of epoch seconds, both included, in one Region."""

    region: str
    since: int
    until: int


class Agenda:
    """A sparse index of the request table, in two parts of `shards` partitions each; its reads may be stale.

    The index holds the attributes that a run reads, not the records.
    """

    def __init__(self, tables: Tables, shards: int) -> None:
        self._tables = tables
        self.shards = shards

    def read_due(
        self,
        part: Part,
        until: int,
        *,
        most: int,
        since: int | None = None,
        wanted: Callable[[AgendaEntry], bool] | None = None,
    ) -> Coming:
        """Read what is due in one part up to an epoch second: the earliest `most` that are wanted.

        With `since`, no earlier than that. Where the database answers for some pages or shards only, what
        they brought is given.
        """
        shards = [
            self._read_shard(self._query(f"{part}#{shard}", until, since), most, wanted)
            for shard in range(self.shards)
        ]
        entries = sorted(chain.from_iterable(shard.entries for shard in shards), key=lambda entry: entry.due)
        return Coming(entries[:most], all(shard.complete for shard in shards))

    def _read_shard(self, query: Query, most: int, wanted: Callable[[AgendaEntry], bool] | None) -> Coming:
        query = replace(query, limit=min(most, _PAGE))
        found: list[AgendaEntry] = []
        while len(found) < most:
            try:
                rows = self._tables.database.rows(query)
            except Unavailable:
                partition = query.values[":agenda"]
                _LOG.exception("a page of the agenda could not be read", extra={"partition": partition})
                return Coming(found, complete=False)
            found += filter(wanted, map(_entry, rows.items))
            if rows.last is None:
                break
            query = replace(query, start=rows.last)
        return Coming(found)

    def count_ends(self, around: Around, *, most: int, regions: int, sample: str) -> EndsCount:
        """Count a Region's ends that fall due in each epoch second of a stretch, earliest first.

        Those of one shard alone, which the sample, any text, picks. No more than `most` are counted, nor that
        many for each of so many Regions read: whoever filled the agenda must not have everybody read all of
        it. What names no Region counts in each.
        """
        shard = agenda_partition(Action.END, sample, self.shards)
        dues, counted = Counter[int](), 0
        ends = self._ends(shard, around.since, around.until, "due, key_arn")
        for read, item in enumerate(ends, 1):
            is_here = _region_of(item) in {None, around.region}
            dues[int(item["due"])] += is_here
            counted += is_here
            if counted == most or read == most * regions:
                return EndsCount(dues, complete=False)
        return EndsCount(dues, complete=True)

    def list_ends(self, *, most: int, until: int = int(LATEST.timestamp())) -> list[End]:
        """List the ends that lie ahead or are overdue, no more than `most` of a shard, the earliest."""
        shards = [f"{Part.ENDS}#{shard}" for shard in range(self.shards)]
        read = (islice(self._ends(shard, 0, until, "pk, due, grant_id, key_arn"), most) for shard in shards)
        return [_end(item) for item in chain.from_iterable(read)]

    def _ends(self, partition: str, since: int, until: int, projection: str) -> Iterator[Item]:
        return self._tables.database.query(
            Query(
                table=self._tables.request_table,
                index="agenda",
                condition="agenda = :agenda AND due BETWEEN :since AND :until",
                values={":agenda": partition, ":since": since, ":until": until},
                projection=projection,
            )
        )

    def list_checks_due(self, function: Function, until: int) -> Iterator[str]:
        """List the keys that one function has to check by an epoch second."""
        begins = f"check#{function}"
        for item in self._tables.database.query(self._query(begins, until)):
            yield str(item["pk"]).removeprefix(f"{begins}#")

    def postpone(self, entry: AgendaEntry, until: int) -> None:
        """Move an entry whose record cannot be used to a later second; Stale where it left the agenda."""
        pk, sk = entry.key
        self._tables.database.update(
            self._tables.request_table,
            pk,
            sk,
            expression="SET due = :until",
            condition="attribute_exists(agenda)",
            values={":until": until},
        )

    def move_old_entries(self, until: int) -> None:
        """Move entries of version 0.1 that are due by an epoch second, a page at most, to their parts."""
        query = replace(self._query(_OLD, until), limit=_PAGE)
        for item in self._tables.database.rows(query).items:
            try:
                self._move(item)
            except Stale:
                continue  # written meanwhile, so that it is where it belongs

    def _move(self, item: Item) -> None:
        partition = agenda_partition(item.get("action"), _entry(item).id or "", self.shards)
        self._tables.database.update(
            self._tables.request_table,
            str(item["pk"]),
            str(item["sk"]),
            expression="SET agenda = :partition",
            condition="agenda = :old",
            values={":partition": partition, ":old": _OLD},
        )

    def _query(self, partition: str, until: int, since: int | None = None) -> Query:
        earliest = {} if since is None else {":since": since}
        span = "BETWEEN :since AND :until" if earliest else "<= :until"
        return Query(
            table=self._tables.request_table,
            index="agenda",
            condition=f"agenda = :agenda AND due {span}",
            values={":agenda": partition, ":until": until, **earliest},
        )


def _region_of(item: Item) -> str | None:
    return find_region(str(item.get("key_arn")))


def _end(item: Item) -> End:
    request_id = str(item["pk"]).removeprefix("request#")
    return End(int(item["due"]), str(item.get("grant_id")), request_id, _region_of(item))


def _entry(item: Item) -> AgendaEntry:
    pk, sk = str(item["pk"]), str(item["sk"])
    request_id = pk.removeprefix("request#") if pk.startswith("request#") and sk == "request" else None
    grant_id, key_arn = str(item.get("grant_id")), str(item.get("key_arn"))
    return AgendaEntry(request_id, int(item["due"]), (pk, sk), grant_id, key_arn)
