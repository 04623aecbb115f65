"""Take the audit trail out of the tables, and verify every subject's chain and the export itself."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from grant_broker.aws.archive import Archive
from grant_broker.aws.dynamodb import Query
from grant_broker.aws.items import record_of
from grant_broker.aws.store import Store
from grant_broker.aws.usages import Usages
from grant_broker.domain.times import Time, parse_time
from grant_broker.domain.tombstones import KIND
from grant_broker.domain.trail import GENESIS, Breach, Event, Head, digest, verify
from grant_broker.domain.usage import Usage
from grant_broker.events.archived import Shelf
from grant_broker.events.trail import EVENT_NAMES

# The record that says where a trail ends, by the kind of its subject: its sort key. The events of every
# subject are in the request table.
_IN_REQUEST_TABLE = {"request": "request", "check": "check", "reconcile": "reconcile"}
_IN_APPROVAL_TABLE = {"approval": "approval", "key": "key", "account": "account", "revocation": "revocation"}
_LISTED_KINDS = ("standing", "key", "account", "revocation")
"""What the index of the approval table calls them."""


class Closing(BaseModel):
    """The last line of an export: how much there is in it, and a digest over the ends of all trails.

    It shows that nothing was cut off. Who rewrites an export can write a new one: keep the digest elsewhere.
    `approval_table`: whether that table was read, where the records of keys and standing approvals are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: int
    trails: int
    heads: int
    approval_table: bool
    digest: str


class Line(BaseModel):
    """A line of an export: an event; where a subject's trail ends by its record; or the closing line.

    `fault` says what in the table could not be read as an event or a record of the subject, `absent_at` when
    a request's grant was first seen gone from KMS's list, `usage` what was seen of its use. Both are beside
    the trail: no hash proves them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: Event | None = None
    subject: str | None = None
    head: Head | None = None
    absent_at: Time | None = None
    usage: Usage | None = None
    fault: str | None = None
    closing: Closing | None = None


@dataclass
class Trail:
    """One subject's events, its head, and what of both could not be read."""

    events: list[Event] = field(default_factory=list)
    head: Head | None = None
    faults: list[str] = field(default_factory=list)
    absent_at: datetime | None = None

    @property
    def end(self) -> "_End":
        return _End(len(self.events), self.events[-1].hash if self.events else GENESIS, self.head)


@dataclass(frozen=True)
class _End:
    """Where a trail ends: by its events and by its record."""

    events: int
    last_hash: str
    head: Head | None


@dataclass(frozen=True)
class Verification:
    """Each subject's first breach, None where its trail is whole; what is wrong with the export itself."""

    trails: Mapping[str, Breach | None]
    export: str | None
    digest: str

    @property
    def broken(self) -> dict[str, Breach]:
        """The subjects whose trail is not whole."""
        return {subject: breach for subject, breach in self.trails.items() if breach}


def export(store: Store, archive: Archive | None = None) -> Iterator[Line]:
    """Every subject's trail, read consistently, each followed by its head; at the end the closing line.

    ArchiveRefused where a request was moved to the archive, and none is given.
    """
    ends: dict[str, _End] = {}
    shelf = Shelf(archive)
    shelf.list_all()
    usages = {f"request#{usage.request_id}": usage for usage in Usages(store.tables).list_all()}
    for subject in sorted({*_subjects(store), *shelf.keys}):
        trail = read_trail(store, subject, shelf)
        yield from (Line(event=event) for event in trail.events)
        yield from (Line(subject=subject, fault=fault) for fault in trail.faults)
        if trail.head:
            usage = usages.get(subject)
            yield Line(subject=subject, head=trail.head, absent_at=trail.absent_at, usage=usage)
        ends[subject] = trail.end
    yield Line(closing=_closing(ends, approval_table=store.tables.has_approval_table))


def verify_export(lines: Iterable[Line]) -> Verification:
    """Verify each trail against its head, and the whole against its closing line."""
    trails: dict[str, Trail] = defaultdict(Trail)
    closing: Closing | None = None
    follows = False
    for line in lines:
        follows = closing is not None
        closing = closing or line.closing
        if line.event:
            trails[line.event.subject].events.append(line.event)
        elif line.subject:
            trails[line.subject].head = line.head or trails[line.subject].head
            trails[line.subject].faults += [line.fault] if line.fault else []
    approvals = closing is not None and closing.approval_table
    found = {
        subject: _breach(subject, trail, needs_head=_has_record(subject, approval_table=approvals))
        for subject, trail in sorted(trails.items())
    }
    held = _closing({subject: trail.end for subject, trail in trails.items()}, approval_table=approvals)
    fault = "a line stands after its closing line" if follows else _fault(closing, held)
    return Verification(found, fault, held.digest)


def _breach(subject: str, trail: Trail, *, needs_head: bool) -> Breach | None:
    if trail.faults:
        return Breach("altered", len(trail.events) + 1, trail.faults[0])
    if breach := verify(subject, trail.events, trail.head):
        return breach
    if not trail.events:
        return Breach("missing", 1, "there is no event of it")
    if needs_head and trail.head is None:
        return Breach("missing", len(trail.events) + 1, "there is no record that says where the trail ends")
    return None


def _closing(ends: Mapping[str, _End], *, approval_table: bool) -> Closing:
    listed = [
        [subject, end.events, end.last_hash, end.head and [end.head.events, end.head.last_hash]]
        for subject, end in sorted(ends.items())
    ]
    return Closing(
        events=sum(end.events for end in ends.values()),
        trails=len(ends),
        heads=sum(end.head is not None for end in ends.values()),
        approval_table=approval_table,
        digest=digest(listed),
    )


def _fault(said: Closing | None, held: Closing) -> str | None:
    """What is wrong with an export, by what its closing line says and what it holds; None if nothing is."""
    if said is None:
        return "it has no closing line: its end was cut off"
    for name in ("events", "trails", "heads"):
        if getattr(said, name) != getattr(held, name):
            return f"it holds {getattr(held, name)} {name}, and {getattr(said, name)} by its closing line"
    return None if said.digest == held.digest else "its trails do not end where its closing line says"


def _has_record(subject: str, *, approval_table: bool) -> bool:
    kind = subject.partition("#")[0]
    return kind in _IN_REQUEST_TABLE or (approval_table and kind in _IN_APPROVAL_TABLE)


def _subjects(store: Store) -> set[str]:
    # By the records too: a trail of which every event is gone would not be looked for otherwise.
    tables = store.tables
    places = [(tables.request_table, kind) for kind in ("event", "request", KIND)]
    if tables.has_approval_table:
        places += [(tables.approval_table, kind) for kind in _LISTED_KINDS]
    return {
        item["pk"]
        for table, kind in places
        for item in store.database.query(
            Query(
                table=table,
                index="by_kind",
                condition="kind = :kind",
                values={":kind": kind},
                projection="pk",
            )
        )
    }


def read_trail(store: Store, subject: str, shelf: Shelf) -> Trail:
    """Events and head as of one moment: read again until the head did not move meanwhile."""
    record = _read_record(store, subject)
    while True:
        items, before = _event_items(store, subject), record
        if (record := _read_record(store, subject)) == before:
            return _with_archived(subject, _trail(items, record), record, shelf)


def _with_archived(subject: str, trail: Trail, record: dict[str, Any] | None, shelf: Shelf) -> Trail:
    """The trail with what the archive holds of it: all of it, where there is a tombstone."""
    own = record.get("object_key") if record else None
    if record and own:
        if trail.events:
            trail.faults.append("events of it are in the table beside the archive")
        held = shelf.read(record)
        trail.events, trail.absent_at = list(held.events), held.absent_at
        trail.faults += held.faults
    trail.faults += shelf.find_strays(subject, trail.events, own=own)
    return trail


def _event_items(store: Store, subject: str) -> list[dict[str, Any]]:
    items = store.database.query(
        Query(
            table=store.tables.request_table,
            condition="pk = :subject AND begins_with(sk, :events)",
            values={":subject": subject, ":events": "event#"},
            projection=", ".join(["sk", *EVENT_NAMES]),
            names=EVENT_NAMES,
            consistent=True,
        )
    )
    return list(items)


def _trail(items: list[dict[str, Any]], record: dict[str, Any] | None) -> Trail:
    trail = Trail()
    for item in items:
        try:
            trail.events.append(record_of(Event, item))
        except ValueError:
            trail.faults.append(f"what is stored as {item['sk']} is no event")
    if record is None:
        # What the index shows is no proof that anything of it is left.
        trail.faults += [] if items else ["neither its record nor an event of it is there"]
        return trail
    match record.get("events"), record.get("last_hash"):
        case int(events), str(last_hash):
            trail.head = Head(events, last_hash)
            trail.absent_at = record.get("absent_at") and parse_time(record["absent_at"])
        case _:
            trail.faults.append("its record does not say where the trail ends")
    return trail


def _read_record(store: Store, subject: str) -> dict[str, Any] | None:
    kind = subject.partition("#")[0]
    if sort := _IN_REQUEST_TABLE.get(kind):
        return _find_head(store, store.tables.request_table, subject, sort)
    if (sort := _IN_APPROVAL_TABLE.get(kind)) and store.tables.has_approval_table:
        return _find_head(store, store.tables.approval_table, subject, sort)
    return None


def _find_head(store: Store, table: str, subject: str, sort: str) -> dict[str, Any] | None:
    """Find what a record says of where its trail ends, and read nothing else of it."""
    query = Query(
        table=table,
        condition="pk = :subject AND sk = :sort",
        values={":subject": subject, ":sort": sort},
        projection="pk, #events, last_hash, absent_at, object_key, sha256",
        names={"#events": "events"},
        consistent=True,
    )
    return next(store.database.query(query), None)
