"""What an approver sends: a vote, or why a grant is taken back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from grant_broker.domain.approvals import Approval
from grant_broker.domain.errors import Conflict, Fault, InvalidRequest, NotPermitted
from grant_broker.domain.idempotency import Idempotency
from grant_broker.domain.parties import Party, Requester, Voter, party
from grant_broker.domain.texts import Comment, Reason
from grant_broker.domain.times import Duration, format_duration
from grant_broker.domain.votes import Verdict, Vote, is_listed


class Decision(BaseModel):
    """A vote as sent. A denial says why; an approval may shorten."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict
    comment: Annotated[Comment, Field(validate_default=True)] = ""
    duration: Duration | None = None

    @field_validator("comment")
    @classmethod
    def _denial_says_why(cls, comment: str, info: ValidationInfo) -> str:
        if info.data.get("verdict") == Verdict.DENY and not comment.strip():
            raise ValueError("a denial says why")
        return comment


@dataclass(frozen=True)
class Ballot:
    """What is voted on: a request, or a standing approval that waits for more votes.

    `thing` names it in messages, `closed` says why it takes no votes any more. `approvers` are the unique
    ids of the roles that the key lists, None where it has no list. A vote may shorten to `shortest` seconds,
    never lengthen.
    """

    thing: str
    status: str
    closed: str | None
    approvers: Collection[str] | None
    votes: Approval
    requester: Requester | None
    shortest: int
    longest: int


def cast(
    ballot: Ballot, voter: Voter, decision: Decision, idempotency: Idempotency, at: datetime
) -> Vote | None:
    """The vote, None where this very call has cast it before.

    Raises NotPermitted for whoever is no approver of the key, or a party to it (whoever is only suspected to
    be one may deny), Conflict where the person has voted or it is decided, InvalidRequest for a duration out
    of bounds.
    """
    _ensure_may_vote(ballot, voter, decision.verdict)
    if earlier := ballot.votes.vote_of(voter.person):
        if idempotency.mark and earlier.idempotency == idempotency.mark:
            return None
        raise Conflict(f"you have voted already; the {ballot.thing} is {ballot.status}")
    if ballot.closed:
        raise Conflict(ballot.closed)
    if decision.duration and not ballot.shortest <= decision.duration <= ballot.longest:
        bounds = f"{format_duration(ballot.shortest)} to {format_duration(ballot.longest)}"
        raise InvalidRequest(Fault("duration", f"a vote may shorten, never lengthen: {bounds}"))
    return _vote(ballot, voter, decision, idempotency, at)


def cast_first(
    ballot: Ballot, voter: Voter, decision: Decision, idempotency: Idempotency, at: datetime
) -> Vote:
    """The maker's vote for what is only being made. Raises NotPermitted as `cast` does."""
    _ensure_may_vote(ballot, voter, decision.verdict)
    return _vote(ballot, voter, decision, idempotency, at)


def _vote(ballot: Ballot, voter: Voter, decision: Decision, idempotency: Idempotency, at: datetime) -> Vote:
    return Vote(
        person=voter.person,
        by=voter.arn,
        session=voter.session,
        role_id=voter.role_id,
        verdict=decision.verdict,
        comment=decision.comment,
        at=at,
        digest=ballot.votes.digest,
        duration=decision.duration,
        idempotency=idempotency.mark,
    )


NO_APPROVER = "the key names its own approvers, and your role is none of them: ask one of them to decide"


def may_decide(
    voter: Voter, approvers: Collection[str] | None, *, requester: Requester | None, grantee: str | None
) -> bool:
    """Whether somebody's decision is taken while it is open: a denial at least, of who may be a party."""
    is_party = party(voter, requester=requester, grantee=grantee) == Party.YES
    return is_listed(voter.role_id, approvers) and not is_party


def _ensure_may_vote(ballot: Ballot, voter: Voter, verdict: Verdict) -> None:
    if not is_listed(voter.role_id, ballot.approvers):
        raise NotPermitted(NO_APPROVER)
    found = party(voter, requester=ballot.requester, grantee=ballot.votes.grantee)
    if found == Party.YES:
        raise NotPermitted(f"nobody decides on their own {ballot.thing}")
    if found == Party.SUSPECTED and verdict == Verdict.APPROVE:
        raise NotPermitted(
            f"the {ballot.thing} may be your own, made or granted through another permission set: "
            "you may deny it, and somebody else must approve it"
        )


class Revocation(BaseModel):
    """Why a grant is taken back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason
