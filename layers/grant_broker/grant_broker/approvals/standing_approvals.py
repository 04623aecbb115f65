"""Standing approvals: made ahead, for many requests."""

from datetime import timedelta

from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.votes import end_now
from grant_broker.domain.approvals import (
    LONGEST_VALIDITY,
    Approval,
    Kind,
    StandingApproval,
    Verdict,
    Vote,
    is_party,
)
from grant_broker.domain.decisions import Decision
from grant_broker.domain.errors import Conflict, Fault, InvalidRequest, NotPermitted
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.people import Caller
from grant_broker.domain.scope import Scope
from grant_broker.domain.times import milliseconds
from grant_broker.domain.trail import digest
from grant_broker.requests.submit import Repeatable
from grant_broker.retries import anew, on_latest

_END_WITHIN = timedelta(seconds=12)  # of one call, which API Gateway cuts off after 29 s


def create(broker: ApprovalsBroker, caller: Caller, asked: StandingApproval, repeat: Repeatable) -> Approval:
    """The approval with its maker's vote; with a quorum above 1 it waits for others.

    Raises InvalidRequest (outside the key's limits), NotPermitted (for one's own use), Conflict (the
    idempotency key was used for another body).
    """
    approval_id = repeat.id_for(broker, caller, "POST /security/approvals")
    return anew(lambda: _made(broker, caller, asked, repeat, approval_id))


def _made(
    broker: ApprovalsBroker, caller: Caller, asked: StandingApproval, repeat: Repeatable, approval_id: str
) -> Approval:
    if repeat.key and (stored := broker.store.find_approval(approval_id)):
        return _same(stored, repeat)
    key, now = _key(broker, asked), milliseconds(broker.clock())
    approval = _checked(broker, caller, asked, key, approval_id)
    vote = _vote(broker, caller, Decision(verdict=Verdict.APPROVE), approval, repeat)
    change = approval.recorded(
        "approval_made", at=now, by=caller.arn, event_id=broker.new_id(),
        detail=asked.model_dump(mode="json"), votes=(vote,), body_digest=repeat.body_digest,
    )  # fmt: skip
    broker.store.commit(change, checks=[key])
    return change.record


def decide(
    broker: ApprovalsBroker, caller: Caller, approval_id: str, decision: Decision, repeat: Repeatable
) -> Approval:
    """The approval after this person's vote; a denial withdraws it."""
    return anew(lambda: _cast(broker, caller, approval_id, decision, repeat))


def _cast(
    broker: ApprovalsBroker, caller: Caller, approval_id: str, decision: Decision, repeat: Repeatable
) -> Approval:
    approval, key = get_with_key(broker, approval_id)
    _not_own(broker, caller, approval)
    status = approval.status(quorum=key.document.quorum, now=broker.clock())
    if earlier := approval.vote_of(broker.person(caller)):
        if repeat.key and earlier.idempotency == _idempotency(repeat):
            return approval
        raise Conflict(f"you have voted already; the approval is {status}")
    if status != "pending":
        raise Conflict(f"the approval is {status}")
    if decision.duration and decision.duration > approval.max_duration:
        raise InvalidRequest(Fault("duration", "a vote may shorten, never lengthen"))
    vote = _vote(broker, caller, decision, approval, repeat)
    change = approval.recorded(
        "approval_voted", at=broker.clock(), by=caller.arn, event_id=broker.new_id(),
        detail={"verdict": str(decision.verdict), "comment": decision.comment}, votes=(*approval.votes, vote),
    )  # fmt: skip
    broker.store.commit(change, checks=[key])
    return change.record


def withdraw(broker: ApprovalsBroker, caller: Caller, approval_id: str, *, revoke_active: bool) -> None:
    """Withdraw it; repeated, nothing happens. With `revoke_active` what it let through ends.

    What the index does not show yet, or this call has no time for, `reconcile` ends within its interval.
    """
    approval = anew(lambda: _withdrawn(broker, caller, approval_id, revoke_active=revoke_active))
    if revoke_active:
        _end_covered(broker, caller, approval)


def _withdrawn(broker: ApprovalsBroker, caller: Caller, approval_id: str, *, revoke_active: bool) -> Approval:
    approval, _ = get_with_key(broker, approval_id)
    if approval.withdrawn_at and (approval.revoke_active or not revoke_active):
        return approval
    now = milliseconds(broker.clock())
    change = approval.recorded(
        "approval_withdrawn", at=now, by=caller.arn, event_id=broker.new_id(),
        detail={"revoke_active": revoke_active}, withdrawn_at=approval.withdrawn_at or now,
        revoke_active=approval.revoke_active or revoke_active,
    )  # fmt: skip
    broker.store.commit(change)
    return change.record


def _end_covered(broker: ApprovalsBroker, caller: Caller, approval: Approval) -> None:
    until = broker.clock() + _END_WITHIN
    for status in (Status.ACTIVE, Status.ISSUING):
        for request_id in broker.store.lists.list_covered_by(approval.id, status):
            if broker.clock() >= until:
                return
            _end(broker, caller, request_id, approval)


def _end(broker: ApprovalsBroker, caller: Caller, request_id: str, approval: Approval) -> None:
    request = broker.store.find_request(request_id)
    if request is None or request.approval != approval.id:
        return
    reason = f"its standing approval {approval.id} was withdrawn"
    try:
        on_latest(
            broker, request, lambda now: end_now(broker, now, Status.REVOKED, by=caller.arn, reason=reason)
        )
    except Conflict:
        # It ended by itself meanwhile.
        return


def get_with_key(broker: ApprovalsBroker, approval_id: str) -> tuple[Approval, Key]:
    """Get an approval and its key; NotFound."""
    approval = broker.store.get_approval(approval_id)
    return approval, broker.store.get_key(approval.key_arn)


def _same(stored: Approval, repeat: Repeatable) -> Approval:
    if stored.body_digest != repeat.body_digest:
        raise Conflict("this idempotency key was used for another body")
    return stored


def _key(broker: ApprovalsBroker, asked: StandingApproval) -> Key:
    key = broker.store.find_key_named(asked.key)
    if key is None or not key.open_to(asked.account):
        raise InvalidRequest(Fault("key", "not registered, or not open to the account"))
    return key


def _checked(
    broker: ApprovalsBroker, caller: Caller, asked: StandingApproval, key: Key, approval_id: str
) -> Approval:
    now = milliseconds(broker.clock())
    scope = Scope.model_validate(asked.model_dump(include=set(Scope.model_fields)))
    valid_from = asked.valid_from or now
    faults = key.faults(
        scope, duration=asked.max_duration, account=asked.account, duration_field="max_duration"
    )
    if not max(now, valid_from) < asked.valid_until <= now + LONGEST_VALIDITY:
        faults.append(Fault("valid_until", "after valid_from, in the future, at most 366 days ahead"))
    if faults:
        raise InvalidRequest(*faults)
    content = {**asked.model_dump(mode="json"), "id": approval_id, "key": key.document.key_arn}
    approval = Approval(
        id=approval_id, kind=Kind.STANDING, key_arn=key.document.key_arn, account=asked.account,
        grantee=asked.grantee, scope=scope, max_duration=asked.max_duration, valid_from=valid_from,
        valid_until=asked.valid_until, reason=asked.reason, digest=digest(content), created_at=now,
    )  # fmt: skip
    _not_own(broker, caller, approval)
    return approval


def _not_own(broker: ApprovalsBroker, caller: Caller, approval: Approval) -> None:
    person = broker.person(caller)
    if is_party(caller, person=person, requester_person=None, grantee=approval.grantee):
        raise NotPermitted("nobody approves for themselves")


def _vote(
    broker: ApprovalsBroker, caller: Caller, decision: Decision, approval: Approval, repeat: Repeatable
) -> Vote:
    return Vote(
        person=broker.person(caller), by=caller.arn, session=caller.session, verdict=decision.verdict,
        comment=decision.comment, at=milliseconds(broker.clock()), digest=approval.digest,
        duration=decision.duration, idempotency=_idempotency(repeat) if repeat.key else None,
    )  # fmt: skip


def _idempotency(repeat: Repeatable) -> str:
    return f"{repeat.key}:{repeat.body_digest}"
