"""What people decide about one request: vote, withdraw, release, revoke."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from grant_broker.broker import ApiBroker, Broker
from grant_broker.domain.approvals import Approval, Kind, Verdict, Vote, is_party
from grant_broker.domain.decisions import Decision
from grant_broker.domain.errors import Conflict, Fault, InvalidRequest, NotPermitted
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.people import Caller
from grant_broker.domain.records import Change, ChangeOf
from grant_broker.domain.request import GrantRequest, agenda
from grant_broker.domain.times import format_duration, milliseconds
from grant_broker.requests.submit import Repeatable
from grant_broker.retries import anew, on_latest


def get_owned(broker: ApiBroker, request_id: str, caller: Caller) -> GrantRequest:
    """The request, for its requester's person or its grantee; NotFound or NotPermitted for anybody else."""
    request = broker.store.get_request(request_id, account=caller.account)
    if not request.belongs_to(caller, broker.person(caller)):
        raise NotPermitted("only the requester and the grantee may do this")
    return request


def decide(
    broker: ApiBroker, caller: Caller, request_id: str, decision: Decision, repeat: Repeatable
) -> GrantRequest:
    """The request after this vote. Vote, status and event are one transaction: a crash leaves all or none.

    Raises NotPermitted on one's own request, Conflict when it is decided or this person has voted,
    InvalidRequest for a longer duration.
    """
    # Two persons' votes at the same time both count: the second is cast again on what the first left.
    return anew(lambda: _cast(broker, caller, request_id, decision, repeat))


def _cast(
    broker: ApiBroker, caller: Caller, request_id: str, decision: Decision, repeat: Repeatable
) -> GrantRequest:
    request, person = broker.store.get_request(request_id), broker.person(caller)
    _ensure_not_own(caller, person, request)
    votes = broker.store.find_votes(request_id) or _no_votes(request, broker.clock())
    if earlier := votes.vote_of(person):
        if repeat.key and earlier.idempotency == _idempotency(repeat):
            return request
        raise Conflict(f"you have voted already; the request is {request.status}")
    _check(broker, request, decision)
    key = _key(broker, request)
    vote = _vote(broker, caller, request, decision, repeat)
    after = votes.changed(votes=(*votes.votes, vote))
    change = _decided(broker, request, vote, after.record, key)
    broker.store.commit(change, after, checks=[key])
    return change.record


def _ensure_not_own(caller: Caller, person: str, request: GrantRequest) -> None:
    # The same person through a permission set that is not on the stack's list is told by the name alone:
    # enough to refuse, never enough to allow.
    if caller.shares_name_with(request.requester_arn) or is_party(
        caller, person=person, requester_person=request.requester_person, grantee=request.grantee
    ):
        raise NotPermitted("nobody decides on their own request")


def _check(broker: ApiBroker, request: GrantRequest, decision: Decision) -> None:
    if request.status != Status.PENDING:
        raise Conflict(f"the request is {request.status}")
    if request.answer_by and broker.clock() >= request.answer_by:
        raise Conflict("the request is pending, past its answer_by")
    smallest = broker.settings.smallest_duration
    if decision.duration and not smallest <= decision.duration <= request.duration:
        bounds = f"{format_duration(smallest)} to {format_duration(request.duration)}"
        raise InvalidRequest(Fault("duration", f"a vote may shorten, never lengthen: {bounds}"))


def _key(broker: ApiBroker, request: GrantRequest) -> Key:
    key = broker.store.find_key(request.key_arn)
    if key is None:
        raise Conflict(f"the request is {request.status}, but its key is not managed any more")
    return key


def _no_votes(request: GrantRequest, now: datetime) -> Approval:
    return Approval(
        id=request.id, kind=Kind.REQUEST, key_arn=request.key_arn, account=request.account,
        grantee=request.grantee, scope=request.scope, max_duration=request.asked_duration,
        valid_from=request.created_at, valid_until=None, digest=request.digest, created_at=milliseconds(now),
    )  # fmt: skip


def _vote(
    broker: ApiBroker, caller: Caller, request: GrantRequest, decision: Decision, repeat: Repeatable
) -> Vote:
    return Vote(
        person=broker.person(caller), by=caller.arn, session=caller.session, verdict=decision.verdict,
        comment=decision.comment, at=milliseconds(broker.clock()), digest=request.digest,
        duration=decision.duration, idempotency=_idempotency(repeat) if repeat.key else None,
    )  # fmt: skip


def _idempotency(repeat: Repeatable) -> str:
    return f"{repeat.key}:{repeat.body_digest}"


def _decided(
    broker: ApiBroker, request: GrantRequest, vote: Vote, votes: Approval, key: Key
) -> ChangeOf[GrantRequest]:
    now, by, event_id = broker.clock(), vote.by, broker.new_id()
    detail: dict[str, str | int] = {
        "verdict": str(vote.verdict),
        "comment": vote.comment,
        "digest": vote.digest,
    }
    if vote.verdict == Verdict.DENY:
        return request.to(
            Status.DENIED, at=now, by=by, event_id=event_id, detail=detail, decisions=votes.votes,
            ended_at=milliseconds(now), end_reason="denied",
        )  # fmt: skip
    quorum = key.document.quorum
    agreed = votes.agreed(without=request.requester_person, grantee=request.grantee)
    detail = {**detail, "votes": agreed, "quorum": quorum}
    if agreed < quorum:
        return request.recorded(
            "voted", at=now, by=by, event_id=event_id, detail=detail, decisions=votes.votes
        )
    take_up_by = milliseconds(
        max(now, request.starts_at or now) + timedelta(seconds=broker.settings.take_up_within)
    )
    return request.to(
        Status.APPROVED, at=now, by=by, event_id=event_id, detail=detail, decisions=votes.votes,
        duration=votes.longest, take_up_by=take_up_by, **agenda(Action.LAPSE, take_up_by),
    )  # fmt: skip


def withdraw(broker: Broker, request: GrantRequest, *, by: str) -> GrantRequest:
    """The withdrawn request; Conflict unless it is pending or approved."""
    return on_latest(
        broker, request, lambda now: _ended_unused(broker, now, Status.WITHDRAWN, by=by, reason="withdrawn")
    )


def release(broker: Broker, request: GrantRequest, *, by: str) -> GrantRequest:
    """The request, `ending`: the stream ends its grant at once, the agenda if the stream fails."""

    def released(now: GrantRequest) -> GrantRequest:
        if now.status == Status.ENDING:
            return now
        return _ended(broker, now, Status.RELEASED, by=by, reason="released")

    return on_latest(broker, request, released)


def revoke(broker: Broker, request: GrantRequest, *, by: str, reason: str) -> GrantRequest:
    """The request, `ending` or, if nobody took it up yet, `revoked`; Conflict in every other state.

    Its votes are withdrawn with it, in their own table: a restored request table must not revive it.
    """

    def revoked(now: GrantRequest) -> GrantRequest:
        also = _votes_withdrawn(broker, now)
        if now.status == Status.APPROVED:
            return _ended_unused(broker, now, Status.REVOKED, by=by, reason=reason, also=also)
        return _ended(broker, now, Status.REVOKED, by=by, reason=reason, also=also)

    return on_latest(broker, request, revoked)


def _votes_withdrawn(broker: Broker, request: GrantRequest) -> list[Change]:
    votes = broker.store.find_votes(request.id)
    return [votes.changed(withdrawn_at=milliseconds(broker.clock()))] if votes else []


def _ended(
    broker: Broker,
    request: GrantRequest,
    as_: Status,
    *,
    by: str,
    reason: str,
    also: Sequence[Change] = (),
) -> GrantRequest:
    if request.status != Status.ACTIVE:
        raise Conflict(f"the request is {request.status}")
    return end_now(broker, request, as_, by=by, reason=reason, also=also)


def end_now(
    broker: Broker,
    request: GrantRequest,
    as_: Status,
    *,
    by: str,
    reason: str,
    also: Sequence[Change] = (),
) -> GrantRequest:
    """A request that has a grant, or may have one any moment (`issuing`), put to `ending`, due now.

    `also` is written with it. Conflict in every other state; Stale where another writer came first.
    """
    now = broker.clock()
    change = request.to(
        Status.ENDING, at=now, by=by, event_id=broker.new_id(), detail={"as": str(as_), "reason": reason},
        end_as=as_, end_reason=reason, **agenda(Action.END, now),
    )  # fmt: skip
    broker.store.commit(change, *also)
    return change.record


def _ended_unused(
    broker: Broker, request: GrantRequest, status: Status, *, by: str, reason: str,
    also: Sequence[Change] = (),
) -> GrantRequest:  # fmt: skip
    if request.status not in {Status.PENDING, Status.APPROVED}:
        raise Conflict(f"the request is {request.status}")
    now = broker.clock()
    change = request.to(
        status, at=now, by=by, event_id=broker.new_id(), detail={"reason": reason},
        ended_at=milliseconds(now), end_reason=reason,
    )  # fmt: skip
    broker.store.commit(change, *also)
    return change.record
