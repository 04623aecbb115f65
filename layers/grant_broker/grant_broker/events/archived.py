"""The archive as an auditor reads it: what its objects hold of each request, and what is wrong with them."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from grant_broker.aws.archive import Archive
from grant_broker.aws.attributes import Item
from grant_broker.domain.archive import Archived, request_id_of
from grant_broker.domain.errors import ArchiveRefused
from grant_broker.domain.times import parse_time
from grant_broker.domain.trail import Event


@dataclass
class ArchivedTrail:
    """The events that the archive holds of a request, and what could not be read or should not be there."""

    events: Sequence[Event] = ()
    absent_at: datetime | None = None
    faults: list[str] = field(default_factory=list)


class Shelf:
    """The archive, or none where the auditor named none. `keys` has the objects of each request's subject."""

    def __init__(self, archive: Archive | None) -> None:
        self._archive = archive
        self.keys: Mapping[str, list[str]] = {}

    def list_all(self) -> None:
        """List every object, so that one that nobody speaks of is found too."""
        found: dict[str, list[str]] = defaultdict(list)
        for key in self._archive.list_keys() if self._archive else ():
            found[f"request#{request_id_of(key)}"].append(key)
        self.keys = found

    def read(self, tombstone: Item) -> ArchivedTrail:
        """Read what a tombstone says is in the archive; ArchiveRefused where no archive was named."""
        key = str(tombstone["object_key"])
        body = self._find(key)
        if body is None:
            return ArchivedTrail(faults=[f"its object {key} is not in the archive"])
        if hashlib.sha256(body).hexdigest() != tombstone.get("sha256"):
            return ArchivedTrail(faults=[f"its object {key} is not the one that was stored"])
        return _parse(key, body)

    def find_strays(self, subject: str, events: Sequence[Event], *, own: object) -> list[str]:
        """Find what else the archive holds of a request whose trail is this, beside the object `own`.

        A move that was broken off leaves an object with the trail as it was by then.
        """
        faults = []
        for key in self.keys.get(subject, ()):
            if key == own:
                continue
            held = _parse(key, self._find(key) or b"")
            faults += held.faults
            if not events:
                faults.append(f"the tables know nothing of what the archive's {key} tells")
            elif list(held.events) != list(events[: len(held.events)]):
                faults.append(f"the archive's {key} tells another trail")
        return faults

    def _find(self, key: str) -> bytes | None:
        if self._archive is None:
            raise ArchiveRefused("requests are in the archive: name it too (--stack, or --archive-bucket)")
        return self._archive.find(key)


def _parse(key: str, body: bytes) -> ArchivedTrail:
    try:
        kept = Archived.model_validate_json(body)
        absent_at = kept.record.get("absent_at")
        return ArchivedTrail(kept.events, parse_time(absent_at) if absent_at else None)
    except (ValidationError, ValueError, TypeError):
        return ArchivedTrail(faults=[f"the archive's {key} cannot be read"])
