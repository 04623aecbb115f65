"""What stays in the request table of a closed request that was moved to the archive."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.lifecycle import Status
from grant_broker.domain.records import Record
from grant_broker.domain.stored import Table, listed_at
from grant_broker.domain.times import Time

KIND = "archived"
"""What a tombstone is listed under, among the kinds of records."""


class About(BaseModel):
    """What a closed request is looked for by."""

    model_config = ConfigDict(frozen=True)

    account: str
    key_arn: str
    requester_arn: str
    requester_person: str
    grantee: str
    status: Status
    created_at: Time
    ended_at: Time


class Tombstone(Record):
    """What stays in the request table in the place of a request that was moved to the archive.

    Nothing can be stored under its id again. `version` goes on from the record's, `events` and `last_hash`
    say where the archived trail ends, `sha256` what the object of the key `object_key` holds.
    """

    TABLE: ClassVar = Table.REQUESTS
    # In the place of the record: whoever would write that one again finds it.
    SORT_KEY: ClassVar = "request"

    request_id: str
    about: About
    object_key: str
    sha256: str

    @property
    def subject(self) -> str:
        """The request's partition."""
        return f"request#{self.request_id}"

    @property
    def indexed(self) -> dict[str, object]:
        """What it is listed under, and its place in the list: the request's."""
        return {"kind": KIND, "listed_at": listed_at(self.about.created_at, self.request_id)}


def is_tombstone(item: Mapping[str, object]) -> bool:
    """Whether an item in the place of a request says that the request was moved to the archive."""
    return item.get("kind") == KIND
