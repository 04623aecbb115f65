"""Standing approvals: made ahead, for many requests."""

from grant_broker.approvals import mass_revocations
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.domain.approvals import Approval, ApprovalKind
from grant_broker.domain.blocks import Selectors
from grant_broker.domain.decisions import Ballot, Decision, cast, cast_first, may_decide
from grant_broker.domain.errors import Fault, InvalidRequest
from grant_broker.domain.idempotency import Idempotency, ensure_same_body
from grant_broker.domain.keys import Key
from grant_broker.domain.mass_revocations import MassRevocation
from grant_broker.domain.parties import Voter
from grant_broker.domain.people import Caller
from grant_broker.domain.records import Stamp
from grant_broker.domain.scope import Scope
from grant_broker.domain.standing_approval import LONGEST_VALIDITY, StandingApproval
from grant_broker.domain.times import milliseconds
from grant_broker.domain.trail import digest
from grant_broker.domain.votes import Verdict
from grant_broker.retries import retry_stale


def get_with_key(broker: ApprovalsBroker, approval_id: str) -> tuple[Approval, Key]:
    """Get an approval and its key; NotFound."""
    approval = broker.store.get_approval(approval_id)
    return approval, broker.store.get_key(approval.key_arn)


def decides_on(broker: ApprovalsBroker, caller: Caller, approval: Approval, key: Key) -> bool:
    """Whether a caller may decide on an approval while it waits for votes."""
    voter = Voter.of(caller, broker.person(caller))
    return may_decide(voter, key.document.approvers, requester=None, grantee=approval.grantee)


def create(
    broker: ApprovalsBroker, caller: Caller, asked: StandingApproval, idempotency: Idempotency
) -> Approval:
    """Store an approval with its maker's vote; with a quorum above 1 it waits for others.

    Raises InvalidRequest (outside the key's limits), NotPermitted (for one's own use, or by no approver of
    the key), Conflict (the idempotency key was used for another body).
    """
    approval_id = idempotency.id_for(
        account=caller.account,
        person=broker.person(caller),
        route="POST /security/approvals",
        new_id=broker.new_id(),
    )
    return retry_stale(lambda: _create(broker, caller, asked, idempotency, approval_id))


def _create(
    broker: ApprovalsBroker,
    caller: Caller,
    asked: StandingApproval,
    idempotency: Idempotency,
    approval_id: str,
) -> Approval:
    if idempotency.key and (stored := broker.store.find_approval(approval_id)):
        ensure_same_body(stored.body_digest, idempotency.body_digest)
        return stored
    key, stamp = _key_for(broker, asked), broker.stamp(caller.arn)
    faults = broker.settings.grantee_faults(asked.grantee)
    approval = _new_approval(asked, key, stamp, approval_id, idempotency.body_digest, faults=faults)
    approval = approval.model_copy(update=dict(broker.settings.review_rhythm.after(stamp.at)))
    voter, approve = Voter.of(caller, broker.person(caller)), Decision(verdict=Verdict.APPROVE)
    vote = cast_first(_ballot(broker, approval, key, closed=None), voter, approve, idempotency, stamp.at)
    change = approval.made(stamp, vote, asked.model_dump(mode="json"))
    broker.store.commit(change, checks=[key])
    return change.record


def _key_for(broker: ApprovalsBroker, asked: StandingApproval) -> Key:
    key = broker.store.find_key_named(asked.key)
    if key is None or not key.open_to(asked.account):
        raise InvalidRequest(Fault("key", "not registered, or not open to the account"))
    return key


def _new_approval(
    asked: StandingApproval,
    key: Key,
    stamp: Stamp,
    approval_id: str,
    body_digest: str,
    *,
    faults: list[Fault],
) -> Approval:
    scope = Scope.model_validate(asked.model_dump(include=set(Scope.model_fields)))
    valid_from = asked.valid_from or stamp.at
    faults = faults + key.faults(
        scope, duration=asked.max_duration, account=asked.account, duration_field="max_duration"
    )
    if not max(stamp.at, valid_from) < asked.valid_until <= stamp.at + LONGEST_VALIDITY:
        faults.append(Fault("valid_until", "after valid_from, in the future, at most 366 days ahead"))
    if faults:
        raise InvalidRequest(*faults)
    content = {**asked.model_dump(mode="json"), "id": approval_id, "key": key.document.key_arn}
    return Approval(
        id=approval_id,
        kind=ApprovalKind.STANDING,
        key_arn=key.document.key_arn,
        account=asked.account,
        grantee=asked.grantee,
        scope=scope,
        max_duration=asked.max_duration,
        valid_from=valid_from,
        valid_until=asked.valid_until,
        windows=asked.windows,
        reason=asked.reason,
        digest=digest(content),
        created_at=stamp.at,
        body_digest=body_digest,
    )


def vote(
    broker: ApprovalsBroker, caller: Caller, approval_id: str, decision: Decision, idempotency: Idempotency
) -> Approval:
    """Cast a vote on an approval; the approval after it. A denial withdraws it.

    Raises NotFound, NotPermitted for one's own use and for whoever is no approver of the key, Conflict,
    InvalidRequest.
    """
    return retry_stale(lambda: _vote(broker, caller, approval_id, decision, idempotency))


def _vote(
    broker: ApprovalsBroker, caller: Caller, approval_id: str, decision: Decision, idempotency: Idempotency
) -> Approval:
    approval, key = get_with_key(broker, approval_id)
    stamp = broker.stamp(caller.arn)
    status = approval.status(quorum=broker.settings.quorum(key.document), now=stamp.at)
    closed = f"the approval is {status}" if status != "pending" else None
    voter = Voter.of(caller, broker.person(caller))
    ballot = _ballot(broker, approval, key, closed=closed, status=status)
    cast_now = cast(ballot, voter, decision, idempotency, stamp.at)
    if cast_now is None:
        return approval
    change = approval.voted(stamp, cast_now)
    broker.store.commit(change, checks=[key])
    return change.record


def _ballot(
    broker: ApprovalsBroker, approval: Approval, key: Key, *, closed: str | None, status: str = "pending"
) -> Ballot:
    return Ballot(
        thing="approval",
        status=status,
        closed=closed,
        approvers=key.document.approvers,
        votes=approval,
        requester=None,
        shortest=broker.settings.smallest_duration,
        longest=approval.max_duration,
    )


def withdraw(broker: ApprovalsBroker, caller: Caller, approval_id: str, *, revoke_active: bool) -> None:
    """Withdraw an approval; repeated, nothing happens. With `revoke_active` what it let through ends.

    That is a mass revocation's job, stored with the withdrawal: what this call has no time for, the minute's
    run does.
    """
    job = retry_stale(lambda: _withdraw(broker, caller, approval_id, revoke_active=revoke_active))
    if job:
        mass_revocations.begin(broker, job)


def _withdraw(
    broker: ApprovalsBroker, caller: Caller, approval_id: str, *, revoke_active: bool
) -> MassRevocation | None:
    """Store the withdrawal; the job that ends what the approval covered, if that is wanted."""
    approval, _ = get_with_key(broker, approval_id)
    if approval.withdrawn_at and (approval.revoke_active or not revoke_active):
        return broker.revocations.find(approval_id) if revoke_active else None
    stamp = broker.stamp(caller.arn)
    change = approval.withdrawn(stamp, revoke_active=revoke_active)
    if not revoke_active:
        broker.store.commit(change)
        return None
    # Under the approval's own id, since there is never a second one.
    job = MassRevocation(
        id=approval_id,
        selectors=Selectors(key_arn=approval.key_arn, account=approval.account),
        approval=approval_id,
        reason=f"its standing approval {approval_id} was withdrawn",
        by=caller.arn,
        created_at=milliseconds(stamp.at),
    )
    broker.store.commit(change, *mass_revocations.store_job(broker, job, broker.stamp(caller.arn)))
    return broker.revocations.get(approval_id)
