"""A request for a grant, from submission to its end. What may become of it is in `transitions`."""

import math
from datetime import datetime, timedelta
from typing import ClassVar, Literal, TypeAlias, TypedDict

from grant_broker.domain.agenda import agenda_partition
from grant_broker.domain.blocks import Selectors
from grant_broker.domain.break_glass import BrokenGlass
from grant_broker.domain.coverage import Asked
from grant_broker.domain.errors import Conflict
from grant_broker.domain.grant_name import grant_name, parse_grant_name
from grant_broker.domain.lifecycle import LIFE, Action, Status
from grant_broker.domain.notify import Notify
from grant_broker.domain.parties import Requester
from grant_broker.domain.people import Caller, holder
from grant_broker.domain.preflight import Preflight
from grant_broker.domain.records import ChangeOf, Record
from grant_broker.domain.scope import Scope
from grant_broker.domain.stored import Table, listed_at
from grant_broker.domain.times import EpochSecond, Seconds, SpanSeconds, Time
from grant_broker.domain.trail import Json, digest
from grant_broker.domain.votes import Vote

Reminder: TypeAlias = Literal["answer_by", "expires_at"]
"""A deadline that people are reminded of."""
SETTLE_AFTER = timedelta(seconds=60)
ISSUE_WITHIN = timedelta(seconds=20)
FAILED_AFTER = timedelta(minutes=5)
CONFIRM_AFTER = timedelta(minutes=5)
SPREADS_WITHIN = timedelta(minutes=5)
"""KMS spreads a grant, and its end, within this: until then it may refuse its grantee, or still serve it."""


# What was submitted, and by whom. What is decided or happens later changes nothing of it.
_AGREED_TO = {
    "id",
    "requester_arn",
    "requester_person",
    "account",
    "grantee",
    "key_arn",
    "scope",
    "asked_duration",
    "starts_at",
    "reason",
    "ticket",
    "extends",
}


class GrantRequest(Record):
    """One request. Times are UTC, durations seconds; what is not known yet is None."""

    TABLE: ClassVar = Table.REQUESTS
    SORT_KEY: ClassVar = "request"

    id: str
    status: Status
    requester_arn: str
    account: str
    requester_person: str
    grantee: str
    key_arn: str
    scope: Scope
    duration: Seconds
    asked_duration: Seconds
    starts_at: Time | None
    reason: str
    ticket: str | None
    extends: str | None = None
    created_at: Time
    answer_by: Time | None
    take_up_by: Time | None = None
    decisions: tuple[Vote, ...] = ()
    approval: str | None = None
    broken_glass: BrokenGlass | None = None
    """How it was granted by break-glass, None where it was not."""
    notify: Notify | None = None
    """What is mailed of it, by its key's limits when it was covered; None: people decide, and hear of it."""
    body_digest: str = ""
    preflight: Preflight | None = None
    intent_at: Time | None = None
    issued_at: Time | None = None
    expires_at: Time | None = None
    margin: SpanSeconds = 0
    """How many seconds before `expires_at` it is ended."""
    ended_at: Time | None = None
    end_reason: str | None = None
    end_as: Status | None = None
    revocation: str | None = None
    """The mass revocation that took it back."""
    grant_id: str | None = None
    grant_token: str | None = None
    kms_name: str | None = None
    missing_since: Time | None = None
    absent_at: Time | None = None
    """When KMS's list of grants was first seen without it, after its end."""
    reminded_of: Reminder | None = None
    """The last deadline that people were reminded of."""
    action: Action | None = None
    due: EpochSecond | None = None
    attempts: int = 0

    @property
    def subject(self) -> str:
        """The request's partition."""
        return f"request#{self.id}"

    @property
    def indexed(self) -> dict[str, object]:
        """What it is listed under, its place in the list, and who holds its grant until when by plan."""
        return {
            "kind": "request",
            "open_account": None if self.status.final else self.account,
            "listed_at": listed_at(self.created_at, self.id),
            **self._held,
        }

    @property
    def _held(self) -> dict[str, object]:
        if self.issued_at is None or self.expires_at is None or self.status == Status.FAILED:
            return {}
        return {
            "holder": holder_of(self.key_arn, self.grantee),
            "held_until": int(self.expires_at.timestamp()),
        }

    def agenda(self, shards: int) -> str | None:
        """The partition of the agenda that it has its entry in, while it is due at all."""
        return None if self.due is None else agenda_partition(self.action, self.id, shards)

    @property
    def in_every_event(self) -> Json:
        """Whose it is: the account's own bus is told, and mails say its name."""
        return {"account": self.account}

    @property
    def digest(self) -> str:
        """Of everything that an approver agrees to; what was submitted, not what was decided since."""
        content = self.model_dump(
            mode="json",
            include=_AGREED_TO,
        )
        return digest(content)

    @property
    def requester(self) -> Requester:
        """Who asked."""
        return Requester(self.requester_arn, self.requester_person)

    @property
    def selectors(self) -> Selectors:
        """What matches its grant and no wider."""
        return Selectors.about(key_arn=self.key_arn, account=self.account, grantee=self.grantee)

    @property
    def begins(self) -> datetime:
        """From when on it may be taken up: a `starts_at` up to a minute past means at once."""
        return max(self.created_at, self.starts_at or self.created_at)

    @property
    def grant_name(self) -> str:
        """The KMS grant's Name: with every table lost it still says what must end, and when.

        An adopted grant keeps the name that KMS shows (`kms_name`), however malformed or empty.
        """
        if self.kms_name is not None:
            return self.kms_name
        return grant_name(self.id, _known(self.expires_at))

    @property
    def bears_own_name(self) -> bool:
        """Whether the grant's Name holds this request's id: others may bear any other name as well."""
        parsed = parse_grant_name(self.grant_name)
        return parsed is not None and parsed[0] == self.id

    def outlasts(self, duration: int, at: datetime) -> bool:
        """Whether its grant is live and ends no sooner than one of so many seconds, issued at a moment."""
        until = self.expires_at if self.status == Status.ACTIVE else None
        return until is not None and end_of(duration, at) <= until

    def asked(self, at: datetime) -> Asked:
        """What an approval must cover, at the moment given."""
        return Asked(
            key_arn=self.key_arn,
            account=self.account,
            grantee=self.grantee,
            scope=self.scope,
            duration=self.duration,
            at=at,
            life=(at, end_of(self.duration, at)),
            requester=self.requester,
            digest=self.digest,
        )

    @property
    def ends_at(self) -> datetime | None:
        """When its grant is ended: by its key's margin before it expires."""
        return self.expires_at and self.expires_at - timedelta(seconds=self.margin)

    @property
    def spread_by(self) -> datetime | None:
        """From then on KMS knows the grant everywhere. Until then calls that pass its token are allowed."""
        return self.issued_at and self.issued_at + SPREADS_WITHIN

    @property
    def shortest(self) -> int:
        """What would be granted by now, in seconds: of several votes the shortest wins."""
        return min([self.duration, *(vote.duration for vote in self.decisions if vote.duration)])

    @property
    def safe_after(self) -> datetime | None:
        """From when on KMS has forgotten the grant for certain; None without a grant that has ended."""
        if self.ended_at is None or self.grant_id is None:
            return None
        return max(self.ended_at + SPREADS_WITHIN, self.absent_at or self.ended_at)

    def belongs_to(self, caller: Caller, person: str) -> bool:
        """Whether the caller is the requester's person or the grantee."""
        return person == self.requester_person or caller.is_grantee(self.grantee)

    @property
    def next_action(self) -> Action:
        """What belongs on the agenda in this status."""
        return LIFE[self.status].action

    def next_due(self, now: datetime) -> datetime:
        """When that is due: by the record's own deadline, else now."""
        deadline = LIFE[self.status].deadline
        found: datetime | None = getattr(self, deadline) if deadline else None
        return found or now


Transition: TypeAlias = ChangeOf[GrantRequest]


class RequestChanges(TypedDict, total=False):
    """What a transition may set. What was submitted is not among it: no transition can rewrite that."""

    status: Status
    duration: int
    answer_by: datetime | None
    take_up_by: datetime | None
    decisions: tuple[Vote, ...]
    approval: str | None
    broken_glass: BrokenGlass
    notify: Notify
    preflight: Preflight
    intent_at: datetime
    issued_at: datetime
    expires_at: datetime | None
    margin: int
    ended_at: datetime
    end_reason: str
    end_as: Status
    revocation: str | None
    grant_id: str | None
    grant_token: str | None
    kms_name: str
    missing_since: datetime | None
    absent_at: datetime
    reminded_of: Reminder
    action: Action | None
    due: int | None
    attempts: int


def holder_of(key_arn: str, grantee: str) -> str:
    """The partition of the index `held`: a key, and who holds grants on it."""
    return f"{key_arn}#{holder(grantee)}"


def end_of(duration: int, issued_at: datetime) -> datetime:
    """When a grant of so many seconds ends: a whole second, as its name holds it, and never longer."""
    return issued_at.replace(microsecond=0) + timedelta(seconds=duration)


def at_latest(due: datetime) -> int:
    """The epoch second of an agenda entry: rounded up, so that nothing is due before its time."""
    return math.ceil(due.timestamp())


def _known(time: datetime | None) -> datetime:
    if time is None:
        raise Conflict("the request has no expiry yet")
    return time
