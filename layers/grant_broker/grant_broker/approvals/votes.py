"""Votes on one request."""

from datetime import datetime, timedelta

from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.domain.approvals import Approval, ApprovalKind
from grant_broker.domain.decisions import Ballot, Decision, cast
from grant_broker.domain.errors import Conflict
from grant_broker.domain.idempotency import Idempotency
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.parties import Voter
from grant_broker.domain.people import Caller
from grant_broker.domain.records import Stamp
from grant_broker.domain.request import GrantRequest, Transition
from grant_broker.domain.transitions import approved, denied, voted
from grant_broker.domain.votes import Verdict
from grant_broker.retries import retry_stale


def vote(
    broker: ApprovalsBroker, caller: Caller, request_id: str, decision: Decision, idempotency: Idempotency
) -> GrantRequest:
    """Cast a vote; the request after it.

    Vote, status and event are one transaction: a crash leaves all of them or none. Raises NotFound,
    NotPermitted on one's own request and for whoever is no approver of the key, Conflict when it is decided
    or this person has voted, InvalidRequest for a duration out of bounds.
    """
    # Two persons' votes at the same time both count: the second is cast again on what the first left.
    return retry_stale(lambda: _vote(broker, caller, request_id, decision, idempotency))


def _vote(
    broker: ApprovalsBroker, caller: Caller, request_id: str, decision: Decision, idempotency: Idempotency
) -> GrantRequest:
    request, stamp = broker.store.get_request(request_id), broker.stamp(caller.arn)
    key = broker.store.find_key(request.key_arn)
    votes = broker.store.find_votes(request_id) or no_votes(request, stamp.at)
    ballot = _ballot(request, votes, key, stamp, shortest=broker.settings.smallest_duration)
    cast_now = cast(ballot, Voter.of(caller, broker.person(caller)), decision, idempotency, stamp.at)
    if cast_now is None:
        return request
    if key is None:
        raise Conflict(f"the request is {request.status}, but its key is not managed any more")
    after = votes.with_vote(cast_now)
    change = _outcome(broker, request, after.record, key, stamp)
    if change.record.status == Status.APPROVED:
        # Beside the votes, where whoever makes the grant cannot write: reconcile judges it by that.
        after = votes.with_vote(cast_now, valid_until=change.record.take_up_by)
    broker.store.commit(change, after, checks=[key])
    return change.record


def no_votes(request: GrantRequest, at: datetime) -> Approval:
    """The votes on a request as long as there are none."""
    return Approval(
        id=request.id,
        kind=ApprovalKind.REQUEST,
        key_arn=request.key_arn,
        account=request.account,
        grantee=request.grantee,
        scope=request.scope,
        max_duration=request.asked_duration,
        valid_from=request.begins,
        valid_until=None,
        digest=request.digest,
        created_at=at,
    )


def _ballot(
    request: GrantRequest, votes: Approval, key: Key | None, stamp: Stamp, *, shortest: int
) -> Ballot:
    closed = f"the request is {request.status}" if request.status != Status.PENDING else None
    if request.answer_by and stamp.at >= request.answer_by:
        closed = closed or "the request is pending, past its answer_by"
    return Ballot(
        thing="request",
        status=request.status,
        closed=closed,
        approvers=key.document.approvers if key else None,
        votes=votes,
        requester=request.requester,
        shortest=shortest,
        longest=request.duration,
    )


def _outcome(
    broker: ApprovalsBroker, request: GrantRequest, votes: Approval, key: Key, stamp: Stamp
) -> Transition:
    if votes.votes[-1].verdict == Verdict.DENY:
        return denied(request, stamp, votes)
    quorum = broker.settings.quorum(key.document)
    if votes.agreed(quorum, requester=request.requester, grantee=request.grantee) < quorum.needed:
        return voted(request, stamp, votes, quorum=quorum)
    begins = max(stamp.at, request.starts_at or stamp.at)
    take_up_by = begins + timedelta(seconds=broker.settings.take_up_within)
    return approved(request, stamp, votes, quorum=quorum, take_up_by=take_up_by)
