"""Approval: one concept. It covers what is asked or it does not, and says why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from grant_broker.domain.arns import account_of
from grant_broker.domain.keys import KeyReference
from grant_broker.domain.people import Caller, Grantee
from grant_broker.domain.records import Record
from grant_broker.domain.scope import AskedContext, ContextMatch, Operations, Scope
from grant_broker.domain.texts import AccountId, Reason
from grant_broker.domain.times import Duration, Seconds, Time, format_duration


class Verdict(StrEnum):
    """What a vote says."""

    APPROVE = "approve"
    DENY = "deny"


class Vote(BaseModel):
    """One person's decision, and the digest of exactly what it was about."""

    model_config = ConfigDict(frozen=True)

    person: str
    by: str
    session: str | None = None
    verdict: Verdict
    comment: str = ""
    at: Time
    digest: str
    duration: Seconds | None = None
    idempotency: str | None = None

    def given_by(self, grantee: str) -> bool:
        """Whether the voter would hold what this grantee is granted."""
        account = account_of(self.by) if self.by.startswith("arn:") else ""
        caller = Caller(self.by, account, self.person, self.session)
        return caller.would_hold(grantee, person=self.person)


@dataclass(frozen=True)
class Asked:
    """What a grant would be, as far as an approval must cover it. Durations are in seconds."""

    key_arn: str
    account: str
    grantee: str
    scope: Scope
    duration: int
    at: datetime
    requester_person: str
    digest: str


@dataclass(frozen=True)
class Coverage:
    """Whether an approval covers what is asked, with the reason that caller, log and event are given."""

    covered: bool
    reason: str


class Kind(StrEnum):
    """Made ahead for many requests, or the decisions on one."""

    STANDING = "standing"
    REQUEST = "request"


class Approval(Record):
    """What the security team agreed to. `grantee` None: any grantee of the account."""

    id: str
    kind: Kind
    key_arn: str
    account: str
    grantee: str | None
    scope: Scope
    max_duration: Seconds
    valid_from: Time
    valid_until: Time | None
    reason: str = ""
    digest: str
    created_at: Time
    votes: Annotated[tuple[Vote, ...], Field(max_length=20)] = ()
    withdrawn_at: Time | None = None
    revoke_active: bool = False
    body_digest: str = ""

    @property
    def subject(self) -> str:
        """The approval's partition: its own, or that of the one request it is about."""
        return f"{'approval' if self.kind == Kind.STANDING else 'request'}#{self.id}"

    @property
    def denied(self) -> bool:
        """One denial is final, whatever the quorum."""
        return any(vote.verdict == Verdict.DENY for vote in self.votes)

    def agreed(self, *, without: str | None = None, grantee: str | None = None) -> int:
        """Distinct persons who approved exactly this content, not counting one of them and the grantee."""
        approving = [v for v in self.votes if v.verdict == Verdict.APPROVE and v.digest == self.digest]
        own = {v.person for v in approving if grantee is not None and v.given_by(grantee)}
        return len({v.person for v in approving} - own - {without})

    def vote_of(self, person: str) -> Vote | None:
        """This person's vote, if there is one."""
        return next((vote for vote in self.votes if vote.person == person), None)

    @property
    def longest(self) -> int:
        """The longest duration agreed to, in seconds: of several votes the shortest wins."""
        return min([self.max_duration, *(vote.duration for vote in self.votes if vote.duration)])

    def status(self, *, quorum: int, now: datetime) -> str:
        """pending, active, withdrawn or expired."""
        if self.withdrawn_at or self.denied:
            return "withdrawn"
        if self.valid_until and now >= self.valid_until:
            return "expired"
        return "active" if self.agreed() >= quorum else "pending"

    def covers(self, asked: Asked, *, quorum: int) -> Coverage:
        """Whether this approval covers what is asked; the first reason why not."""
        reason = self._refusal(asked, quorum)
        return Coverage(reason is None, reason or f"covered by {self.kind} approval {self.id}")

    def _refusal(self, asked: Asked, quorum: int) -> str | None:
        votes = self.agreed(without=asked.requester_person, grantee=asked.grantee)
        checks = (
            (self.withdrawn_at is None, "the approval was withdrawn"),
            (not self.denied, "it was denied"),
            (self.key_arn == asked.key_arn, "it is for another key"),
            (self.account == asked.account, "it is for another account"),
            (self.grantee in {None, asked.grantee}, "it is for another grantee"),
            (
                self.kind == Kind.STANDING or self.digest == asked.digest,
                "the content is not what was approved",
            ),
            (self.valid_from <= asked.at, "it is not valid yet"),
            (self.valid_until is None or asked.at < self.valid_until, "it is no longer valid"),
            (asked.duration <= self.longest, f"the approved duration is {format_duration(self.longest)}"),
            (votes >= quorum, f"{votes} of {quorum} votes of persons other than requester and grantee"),
        )
        excess = asked.scope.excess_over(self.scope)
        return next((reason for holds, reason in checks if not holds), excess)


def is_party(caller: Caller, *, person: str, requester_person: str | None, grantee: str | None) -> bool:
    """Whether the caller would decide on something of their own: as the requester or as the grantee."""
    if person == requester_person:
        return True
    return grantee is not None and caller.would_hold(grantee, person=person)


LONGEST_VALIDITY = timedelta(days=366)


class StandingApproval(BaseModel):
    """A standing approval as sent. `grantee` None: any grantee of the account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: KeyReference
    account: AccountId
    grantee: Grantee | None = None
    operations: Operations
    encryption_context: AskedContext
    context_match: ContextMatch = ContextMatch.EQUALS
    max_duration: Duration
    valid_from: Time | None = None
    valid_until: Time
    reason: Reason

    @field_validator("grantee")
    @classmethod
    def _grantee_of_account(cls, grantee: str | None, info: ValidationInfo) -> str | None:
        if grantee and account_of(grantee) != info.data.get("account", account_of(grantee)):
            raise ValueError("the grantee is not of the account")
        return grantee
