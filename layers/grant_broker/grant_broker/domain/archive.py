"""Closed requests in the archive: which are moved there, what is kept of each, and under which key."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.records import ChangeOf
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.tombstones import About, Tombstone
from grant_broker.domain.trail import Breach, Event, Head, Json, verify

PREFIX = "requests/"
"""What the key of every object begins with."""
MOST_EVENTS = 99
"""Events of a request that is moved: with its record they are the 100 items of one transaction."""
# The token of a grant that is over is secret still; the rest says what is to be done, and nothing is.
_LEFT_OUT = {"grant_token", "action", "due", "attempts"}


class Archived(BaseModel):
    """What an object of the archive holds: a closed request's record, and its whole trail."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    format: Literal[1] = 1
    record: Json
    events: tuple[Event, ...]

    @property
    def breach(self) -> Breach | None:
        """The first thing wrong with its trail, which ends where its record says."""
        head = Head(int(self.record["events"]), str(self.record["last_hash"]))
        return verify(f"request#{self.record['id']}", self.events, head)

    @property
    def body(self) -> bytes:
        """The object's bytes: the same request has the same, however often it is moved."""
        whole = self.model_dump(mode="json")
        return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


@dataclass(frozen=True)
class ArchiveObject:
    """An object of the archive."""

    key: str
    body: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of its bytes."""
        return hashlib.sha256(self.body).digest()


def archive(request: GrantRequest, events: Sequence[Event]) -> Archived:
    """Make what the archive keeps of a closed request."""
    return Archived(record=request.model_dump(mode="json", exclude=_LEFT_OUT), events=tuple(events))


def object_key_of(request: GrantRequest) -> str:
    """The key of a request's object: by the day it was submitted, and by how long its trail is.

    Both stay what they are. If something happens between two attempts to move it, it has another key then.
    """
    return f"{PREFIX}{request.created_at:%Y/%m/%d}/{request.id}.{request.events}.json"


def request_id_of(object_key: str) -> str:
    """The id of the request whose object has this key."""
    return object_key.rpartition("/")[2].partition(".")[0]


def is_over(request: GrantRequest, *, wait: timedelta, now: datetime) -> bool:
    """Whether a request has been closed for so long, and nothing is left to be done about it."""
    if not request.status.final or request.due is not None or request.ended_at is None:
        return False
    return request.ended_at <= now - wait


def moved(request: GrantRequest, stored: ArchiveObject) -> ChangeOf[Tombstone]:
    """Moved to the archive: the tombstone takes the record's place, provided that nobody has changed it.

    There is no event: it would belong to a trail that is archived already. `Tombstone` itself says it.
    """
    about = About.model_validate({**dict(request), "ended_at": request.ended_at or request.created_at})
    return ChangeOf(
        Tombstone(
            version=request.version + 1,
            events=request.events,
            last_hash=request.last_hash,
            request_id=request.id,
            about=about,
            object_key=stored.key,
            sha256=stored.digest.hex(),
        ),
        None,
    )
