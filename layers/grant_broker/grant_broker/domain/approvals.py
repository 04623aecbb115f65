"""Approval: one concept. It covers what is asked or it does not, and says why."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, TypedDict

from pydantic import Field

from grant_broker.domain.coverage import Asked, Coverage
from grant_broker.domain.parties import Requester
from grant_broker.domain.recertification import Reviewable
from grant_broker.domain.records import ChangeOf, Stamp
from grant_broker.domain.scope import Scope
from grant_broker.domain.stored import Table, listed_at
from grant_broker.domain.times import Seconds, Time, format_duration
from grant_broker.domain.trail import Json
from grant_broker.domain.versions import record_event, revise
from grant_broker.domain.votes import Quorum, Verdict, Vote, count_agreed
from grant_broker.domain.windows import Windows, within_one


class ApprovalKind(StrEnum):
    """Made ahead for many requests, or the decisions on one."""

    STANDING = "standing"
    REQUEST = "request"


class ApprovalChanges(TypedDict, total=False):
    """What a change of an approval may set: what was agreed to is not among it."""

    votes: tuple[Vote, ...]
    valid_until: datetime | None
    withdrawn_at: datetime | None
    revoke_active: bool


class Approval(Reviewable):
    """What the security team agreed to. `grantee` None: any grantee of the account."""

    TABLE: ClassVar = Table.APPROVALS
    SORT_KEY: ClassVar = "approval"

    id: str
    kind: ApprovalKind
    key_arn: str
    account: str
    grantee: str | None
    scope: Scope
    max_duration: Seconds
    valid_from: Time
    valid_until: Time | None
    windows: Windows | None = None
    """A grant starts and ends within one of them; None: at any time."""
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
        return f"{'approval' if self.kind == ApprovalKind.STANDING else 'request'}#{self.id}"

    @property
    def indexed(self) -> dict[str, object]:
        """What a standing one is found by: what it covers, and its place in a list."""
        if self.kind != ApprovalKind.STANDING:
            return {}
        covering = f"{self.key_arn}#{self.account}"
        return {"covering": covering, "listed_at": listed_at(self.created_at, self.id)}

    @property
    def denied(self) -> bool:
        """One denial is final, whatever the quorum."""
        return any(vote.verdict == Verdict.DENY for vote in self.votes)

    def agreed(self, quorum: Quorum, *, requester: Requester | None, grantee: str | None) -> int:
        """Distinct persons who approved exactly this content, without whoever may be a party to it."""
        return count_agreed(self.votes, self.digest, quorum, requester=requester, grantee=grantee)

    def vote_of(self, person: str) -> Vote | None:
        """This person's vote, if there is one."""
        return next((vote for vote in self.votes if vote.person == person), None)

    @property
    def longest(self) -> int:
        """The longest duration agreed to, in seconds: of several votes the shortest wins."""
        return min([self.max_duration, *(vote.duration for vote in self.votes if vote.duration)])

    def made(self, stamp: Stamp, vote: Vote, sent: Json) -> "ChangeOf[Approval]":
        """A standing approval with its maker's vote; `sent` is what the maker wrote."""
        return record_event(self, "approval_made", stamp, sent, ApprovalChanges(votes=(vote,)))

    def voted(self, stamp: Stamp, vote: Vote) -> "ChangeOf[Approval]":
        """A standing approval with one more vote; a denial withdraws it."""
        detail = {"verdict": str(vote.verdict), "comment": vote.comment}
        changes = ApprovalChanges(votes=(*self.votes, vote))
        return record_event(self, "approval_voted", stamp, detail, changes)

    def with_vote(self, vote: Vote, *, valid_until: datetime | None = None) -> "ChangeOf[Approval]":
        """The votes on a request with one more: the event is the request's.

        `valid_until`: the take-up deadline, where this vote completes the quorum.
        """
        return revise(self, ApprovalChanges(votes=(*self.votes, vote), valid_until=valid_until))

    def withdrawn(self, stamp: Stamp, *, revoke_active: bool) -> "ChangeOf[Approval]":
        """Covers nothing more; with `revoke_active` what it covered is to end."""
        changes = ApprovalChanges(
            withdrawn_at=self.withdrawn_at or stamp.at, revoke_active=self.revoke_active or revoke_active
        )
        return record_event(self, "approval_withdrawn", stamp, {"revoke_active": revoke_active}, changes)

    def void(self, now: datetime) -> "ChangeOf[Approval]":
        """The votes on a request, withdrawn with it: a restored request table must not revive it."""
        return revise(self, ApprovalChanges(withdrawn_at=now))

    def as_if_not_withdrawn(self) -> "Approval":
        """The approval as it was before that, to judge what was granted then."""
        return self.model_copy(update={"withdrawn_at": None})

    def is_in_effect(self, at: datetime) -> bool:
        """Whether it may cover anything yet, waiting for votes or not."""
        is_over = self.valid_until is not None and self.valid_until <= at
        return not (is_over or self.denied or self.withdrawn_at)

    def status(self, *, quorum: Quorum, now: datetime) -> str:
        """pending, active, withdrawn or expired."""
        if self.withdrawn_at or self.denied:
            return "withdrawn"
        if self.valid_until and now >= self.valid_until:
            return "expired"
        agreed = self.agreed(quorum, requester=None, grantee=self.grantee)
        return "active" if agreed >= quorum.needed else "pending"

    def covers(self, asked: Asked, *, quorum: Quorum) -> Coverage:
        """Whether this approval covers what is asked; the first reason why not."""
        if reason := self._refusal(asked, quorum):
            return Coverage(covered=False, reason=reason)
        if reason := self._out_of_hours(asked):
            return Coverage(covered=False, reason=reason, out_of_hours=True)
        return Coverage(covered=True, reason=f"covered by {self.kind} approval {self.id}")

    def _refusal(self, asked: Asked, quorum: Quorum) -> str | None:
        votes = self.agreed(quorum, requester=asked.requester, grantee=asked.grantee)
        checks = (
            (self.withdrawn_at is None, "the approval was withdrawn"),
            (not self.denied, "it was denied"),
            (self.key_arn == asked.key_arn, "it is for another key"),
            (self.account == asked.account, "it is for another account"),
            (self.grantee in {None, asked.grantee}, "it is for another grantee"),
            (
                self.kind == ApprovalKind.STANDING or self.digest == asked.digest,
                "the content is not what was approved",
            ),
            (not self.is_unreviewed(asked.at), "nobody has signed off the review of it that is due"),
            (self.valid_from <= asked.at, "it is not valid yet"),
            (self.valid_until is None or asked.at < self.valid_until, "it is no longer valid"),
            (asked.duration <= self.longest, f"the approved duration is {format_duration(self.longest)}"),
            (
                votes >= quorum.needed,
                f"{votes} of {quorum.needed} votes of persons other than requester and grantee",
            ),
        )
        refusal = next((reason for holds, reason in checks if not holds), None)
        return refusal or asked.scope.excess_over(self.scope)

    def fits(self, since: datetime, until: datetime) -> bool:
        """Whether a grant that lives from one instant until another starts and ends within one window."""
        return self.windows is None or within_one(self.windows, since, until)

    def _out_of_hours(self, asked: Asked) -> str | None:
        if self.windows is None or self.fits(*asked.life):
            return None
        return f"it does not start and end within {' or '.join(each.in_words for each in self.windows)}"
