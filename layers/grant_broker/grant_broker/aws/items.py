"""Records as DynamoDB items: which table, which keys, which index attributes."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from zlib import crc32

from grant_broker.aws.attributes import Attributes, Item, serialized
from grant_broker.domain.accounts import Account
from grant_broker.domain.approvals import Approval, Kind
from grant_broker.domain.blocks import Block
from grant_broker.domain.break_glass import GlassDay
from grant_broker.domain.checks import Check
from grant_broker.domain.continuity import Holding
from grant_broker.domain.glass_evidence import GlassSeen
from grant_broker.domain.keys import Key, Proposal
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.mass_revocations import MassRevocation, RevocationQueue
from grant_broker.domain.people import holder
from grant_broker.domain.place import EndsPlace, GrantsPlace, KeyPlace, RecordsPlace, ReviewsPlace
from grant_broker.domain.records import Record
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.reviews import Owed, SignOff
from grant_broker.domain.scope import Scope
from grant_broker.domain.times import parse_time
from grant_broker.domain.trail import Event

_LOG = logging.getLogger(__name__)
_SORT_KEYS: Mapping[type[Record], str] = {
    GrantRequest: "request",
    Key: "key",
    Account: "account",
    Check: "check",
    Approval: "approval",
    GrantsPlace: "reconcile",
    KeyPlace: "reconcile",
    RecordsPlace: "reconcile",
    Block: "block",
    EndsPlace: "reconcile",
    ReviewsPlace: "reconcile",
    MassRevocation: "revocation",
    RevocationQueue: "revocations",
    GlassDay: "day",
    GlassSeen: "reconcile",
    Owed: "owed",
    SignOff: "sign-off",
}


class Part(StrEnum):
    """A part of the agenda. Ends have one of their own, so that nothing else hides them or holds them up."""

    ENDS = "ends"
    REST = "rest"


R = TypeVar(
    "R",
    Event,
    GrantRequest,
    Key,
    Account,
    Approval,
    Proposal,
    Check,
    GrantsPlace,
    KeyPlace,
    RecordsPlace,
    EndsPlace,
    ReviewsPlace,
    Block,
    MassRevocation,
    RevocationQueue,
    GlassDay,
    GlassSeen,
    Owed,
    SignOff,
)


def sort_key(record: Record | Event) -> str:
    """The sort key of a record in its subject's partition."""
    match record:
        case Event():
            return f"event#{record.sequence:06d}"
        case Proposal():
            return f"proposal#{record.document.digest}"
    return _SORT_KEYS[type(record)]


def key_of(record: Record | Event) -> Attributes:
    """The primary key of a record, serialized."""
    return serialized({"pk": record.subject, "sk": sort_key(record)})


def item_of(record: Record | Event, *, agenda_shards: int = 1) -> Attributes:
    """The whole item of a record or an event; a request's place is in one of so many shards of the agenda."""
    indexed = _indexed(record, agenda_shards)
    return {**serialized({**record.model_dump(mode="json"), **indexed}), **key_of(record)}


def agenda_partition(action: object, record_id: str, shards: int) -> str:
    """The partition of the agenda that a request's entry is in: its part, and the shard of its id."""
    part = Part.ENDS if action == Action.END else Part.REST
    return f"{part}#{crc32(record_id.encode()) % shards}"


def record_of(model: type[R], item: Item) -> R:
    """The record in an item of plain values; what only the indexes need is left out.

    ValueError where it cannot be read, or says that it belongs elsewhere: to write it would write another.
    """
    # None is stored as absence.
    absent = {name: None for name, field in model.model_fields.items() if field.is_required()}
    record = model.model_validate({**absent, **item})
    if item.get("pk", record.subject) != record.subject:
        raise ValueError("the item holds the record of another partition")
    return record


def readable(model: type[R], items: Iterable[Item]) -> Iterator[R]:
    """The records in items. One that cannot be read is told to the log, and hides no other."""
    for item in items:
        try:
            yield record_of(model, item)
        except ValueError:
            _LOG.exception("a record cannot be read", extra={"pk": item["pk"], "sk": item["sk"]})


def place_of(event: Event) -> str:
    """The place of an event among all events in order of time."""
    return _listed(event.at, f"{event.subject}#{event.sequence:06d}")


def holding_of(item: Item) -> Holding:
    """The holding in an item of the index `held`."""
    return Holding(
        request_id=item["pk"].partition("#")[2],
        status=Status(item["status"]),
        scope=Scope.model_validate(item["scope"]),
        issued_at=parse_time(item["issued_at"]),
        expires_at=parse_time(item["expires_at"]),
        ended_at=parse_time(item["ended_at"]) if "ended_at" in item else None,
    )


def _indexed(record: Record | Event, agenda_shards: int) -> dict[str, object]:
    match record:
        case GrantRequest():
            agenda = agenda_partition(record.action, record.id, agenda_shards)
            return {
                "kind": "request",
                "agenda": agenda if record.due is not None else None,
                **_held(record),
                "open_account": None if record.status.final else record.account,
                "listed_at": _listed(record.created_at, record.id),
            }
        case Check():
            return {"agenda": f"check#{record.function}" if record.due is not None else None}
        case Approval(kind=Kind.STANDING):
            covering = f"{record.key_arn}#{record.account}"
            return {"covering": covering, "listed_at": _listed(record.created_at, record.id)}
    return _of_kind(record)


def _of_kind(record: Record | Event) -> dict[str, object]:
    """For the index `by_kind`, in order of time."""
    found: tuple[str, str] | None = None
    match record:
        case Key():
            found = "key", _listed(record.created_at, record.document.key_arn)
        case Account():
            found = "account", _listed(record.created_at, record.document.account)
        case Event():
            found = "event", place_of(record)
        case Block():
            found = "block", _listed(record.standings[0].since, record.selectors.name)
        case MassRevocation():
            found = "revocation", _listed(record.created_at, record.id)
        case Owed():
            found = "review", _listed(record.since, f"{record.review}#{record.id}")
    return {"kind": found[0], "listed_at": found[1]} if found else {}


def _held(request: GrantRequest) -> dict[str, object]:
    """For the index `held`: who holds the grant on which key, and until when by plan."""
    if request.issued_at is None or request.expires_at is None or request.status == Status.FAILED:
        return {}
    return {
        "holder": holder_of(request.key_arn, request.grantee),
        "held_until": int(request.expires_at.timestamp()),
    }


def holder_of(key_arn: str, grantee: str) -> str:
    """The partition of the index `held`: a key, and who holds grants on it."""
    return f"{key_arn}#{holder(grantee)}"


def listed_from(at: datetime) -> str:
    """Where in a list a moment stands: before whatever happened in its millisecond."""
    return f"{int(at.timestamp() * 1000):013d}"


def _listed(at: datetime, name: str) -> str:
    return f"{listed_from(at)}#{name}"
