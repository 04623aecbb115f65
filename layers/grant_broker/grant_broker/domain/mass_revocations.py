"""The kill switch: a revocation of all that some selectors match, what it blocks, and how far it is."""

import math
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, NamedTuple, TypedDict

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from grant_broker.domain.arns import account_of
from grant_broker.domain.blocks import Selectors, Standing
from grant_broker.domain.key_document import KeyReference
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.people import Grantee
from grant_broker.domain.records import ChangeOf, Record, Stamp
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.stored import Table, listed_at
from grant_broker.domain.texts import AccountId, Reason
from grant_broker.domain.times import Duration, Time, format_time_or_none, from_epoch
from grant_broker.domain.trail import Json
from grant_broker.domain.versions import record_event, revise

SWEEPS_AGAIN_AFTER = timedelta(seconds=60)
"""By then what was in flight when the block came is there to be seen: intents are good for 20 s."""
SWEPT = (Status.ISSUING, Status.ACTIVE, Status.APPROVED, Status.PENDING)
"""The statuses that a sweep goes through, in this order: what is live first, or about to be.

Issuing before active, since under the block nothing comes to be issuing any more: what becomes active between
the two reads would be missed the other way round. Few are issuing at a time.
"""


class MassRevocationAsked(BaseModel):
    """A mass revocation as sent: every selector that is given must match. `block_for` None: until lifted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: KeyReference | None = None
    account: AccountId | None = None
    grantee: Grantee | None = None
    all: Annotated[bool | None, Field(strict=True, validate_default=True)] = None
    reason: Reason
    block_for: Duration | None = None

    @field_validator("grantee")
    @classmethod
    def _be_of_the_account(cls, grantee: str | None, info: ValidationInfo) -> str | None:
        account = info.data.get("account")
        if account and grantee and account_of(grantee) != account:
            raise ValueError("the grantee is not of the account")
        return grantee

    @field_validator("all")
    @classmethod
    def _select_something(cls, everything: bool | None, info: ValidationInfo) -> bool | None:  # noqa: FBT001 - pydantic's signature
        # A selector that was refused is not among the data: it was given, and its own fault is told.
        if not everything and not any(
            info.data.get(name, "refused") for name in ("key", "account", "grantee")
        ):
            raise ValueError("give at least one of key, account, grantee, or all as true")
        return everything


class SweepStage(StrEnum):
    """What the job does next."""

    FIRST_SWEEP = "first_sweep"
    SECOND_SWEEP = "second_sweep"
    DONE = "done"


class MassRevocationChanges(TypedDict, total=False):
    """What a change of a mass revocation may set: what was asked for is not among it."""

    stage: SweepStage
    at_status: Status
    marker: str | None
    seen: int
    matched: int
    finished_at: datetime
    lifted_at: datetime


class MassRevocation(Record):
    """One revocation of many, and the place of its job.

    `approval`: what is ended are the grants that this standing approval covered, and nothing is blocked.
    `seen` counts what the first sweep has dealt with, `matched` what there was to deal with as far as it is
    known. `at_status` and `marker` say where the sweep goes on.
    """

    TABLE: ClassVar = Table.APPROVALS
    SORT_KEY: ClassVar = "revocation"

    id: str
    selectors: Selectors
    grantee: str | None = None
    approval: str | None = None
    reason: str
    by: str
    created_at: Time
    blocked_until: Time | None = None
    lifted_at: Time | None = None
    body_digest: str = ""
    stage: SweepStage = SweepStage.FIRST_SWEEP
    at_status: Status = SWEPT[0]
    marker: str | None = None
    seen: int = 0
    matched: int = 0
    finished_at: Time | None = None

    @property
    def subject(self) -> str:
        """The partition of the revocation and of its trail."""
        return f"revocation#{self.id}"

    @property
    def indexed(self) -> dict[str, object]:
        """What it is listed under, and its place in the list."""
        return {"kind": "revocation", "listed_at": listed_at(self.created_at, self.id)}

    @property
    def blocks(self) -> bool:
        """Whether it is of the kind that blocks what it matches."""
        return self.approval is None

    @property
    def standing(self) -> Standing:
        """Its part in the block."""
        return Standing(revocation=self.id, since=self.created_at, until=self.blocked_until)

    @property
    def block_ended_at(self) -> datetime | None:
        """When its block ended, or will; None: when it is lifted."""
        return min((each for each in (self.lifted_at, self.blocked_until) if each), default=None)

    @property
    def again_at(self) -> datetime:
        """From when on it sweeps for the second time."""
        return self.created_at + SWEEPS_AGAIN_AFTER

    @property
    def unseen(self) -> int:
        """How many are known that the first sweep has yet to come to."""
        return max(0, self.matched - self.seen) if self.stage == SweepStage.FIRST_SWEEP else 0

    def matches(self, about: Selectors, approval: object) -> bool:
        """Whether it is about a grant: that of a request, and the standing approval that covered it.

        That may be anything, since an item of the index may be forged.
        """
        return self.selectors.matches(about) and (self.approval is None or self.approval == approval)

    def matches_request(self, request: GrantRequest) -> bool:
        """Whether it is about a request, and the request is where something is to be done.

        What was submitted after its block had ended was let in again: the second sweep, and a job that
        lasts, are for what was there or in flight. `reconcile` finds who forges that time, by KMS's own.
        """
        ended_at = self.block_ended_at
        if ended_at and request.created_at > ended_at:
            return False
        return request.status in SWEPT and self.matches(request.selectors, request.approval)

    def made(self, stamp: Stamp) -> "ChangeOf[MassRevocation]":
        """Stored, with its job at the beginning."""
        return record_event(self, "revocation_made", stamp, {**self._about, "reason": self.reason}, {})

    def progressed(self, seen: int) -> "ChangeOf[MassRevocation]":
        """So many more are dealt with; what the second sweep finds is not counted."""
        counted = self.seen + (seen if self.stage == SweepStage.FIRST_SWEEP else 0)
        changes = MassRevocationChanges(seen=counted, matched=max(self.matched, counted))
        return revise(self, changes)

    def moved(self, status: Status, marker: str | None) -> "ChangeOf[MassRevocation]":
        """The sweep goes on there."""
        return revise(self, MassRevocationChanges(at_status=status, marker=marker))

    def counted(self, unseen: int) -> "ChangeOf[MassRevocation]":
        """So many more were counted ahead of the sweep."""
        return revise(self, MassRevocationChanges(matched=max(self.matched, self.seen + unseen)))

    def swept(self, stamp: Stamp) -> "ChangeOf[MassRevocation]":
        """A sweep has come to its end: the first is followed by the second, and that by nothing."""
        start = MassRevocationChanges(at_status=SWEPT[0], marker=None)
        detail: Json = {**self._about, "matched": self.matched}
        if self.stage == SweepStage.FIRST_SWEEP:
            changes = MassRevocationChanges(**start, stage=SweepStage.SECOND_SWEEP)
            return record_event(self, "revocation_swept", stamp, detail, changes)
        changes = MassRevocationChanges(**start, stage=SweepStage.DONE, finished_at=stamp.at)
        return record_event(self, "revocation_finished", stamp, detail, changes)

    def lifted(self, stamp: Stamp) -> "ChangeOf[MassRevocation]":
        """Blocks nothing more; what it was to end ends all the same."""
        return record_event(
            self, "block_lifted", stamp, self._about, MassRevocationChanges(lifted_at=stamp.at)
        )

    @property
    def _about(self) -> Json:
        """What it is about, as its events tell it."""
        until = format_time_or_none(self.blocked_until)
        return {
            "key": self.selectors.key_arn,
            "account": self.selectors.account,
            "grantee": self.grantee,
            **({"blocked_until": until} if self.blocks else {"approval": self.approval}),
        }


class Progress(NamedTuple):
    """How far a mass revocation is: `left` of those that matched are yet to end."""

    revocation: MassRevocation
    left: int


def block_end(at: datetime, block_for: int | None) -> datetime | None:
    """When a block ends that comes now and is to stand for some seconds: a whole second, and no sooner."""
    return None if block_for is None else from_epoch(math.ceil(at.timestamp() + block_for))


class QueueChanges(TypedDict):
    """What a change of the queue sets."""

    ids: tuple[str, ...]


class RevocationQueue(Record):
    """The mass revocations whose jobs are not done: one item, so that the minute's run reads nothing else."""

    TABLE: ClassVar = Table.APPROVALS
    SORT_KEY: ClassVar = "revocations"

    ids: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The one partition of it."""
        return "revocations"

    def joined(self, revocation_id: str) -> "ChangeOf[RevocationQueue]":
        """With one more, last."""
        return revise(self, QueueChanges(ids=(*self.ids, revocation_id)))

    def left(self, revocation_id: str) -> "ChangeOf[RevocationQueue]":
        """Without one that is done."""
        return revise(self, QueueChanges(ids=tuple(each for each in self.ids if each != revocation_id)))
