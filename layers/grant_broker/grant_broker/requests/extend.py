"""Go on with a grant without a gap: a new request like an active one, granted before that one ends.

Each of the two grants has a Name, and so an id and an end, of its own: to KMS they are two grants even where
they allow the same to the same principal.
"""

from grant_broker.domain.errors import Conflict
from grant_broker.domain.idempotency import Idempotency
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.people import Caller
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.submission import Extension, Submission
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.submit import Draft, repeat, submit_draft
from grant_broker.requests.withdraw import get_own_request


def extend(
    broker: RequestsBroker, caller: Caller, request_id: str, asked: Extension, idempotency: Idempotency
) -> GrantRequest:
    """Store a request that extends an active one; judged by present limits and approvals like any other.

    Raises NotFound, NotPermitted for others than the requester's person and the grantee, Conflict where the
    request is not active, InvalidRequest also where the new grant would not end after the old one; and what
    `submit_draft` raises.
    """
    old = get_own_request(broker, caller, request_id)
    new_id = idempotency.id_for(
        account=caller.account,
        person=broker.person(caller),
        route=f"POST /requests/{old.id}/extension",
        new_id=broker.new_id(),
    )
    if repeated := repeat(broker, caller, new_id, idempotency):
        return repeated
    if old.status != Status.ACTIVE:
        raise Conflict(f"the request is {old.status}: only an active one can be extended, submit a new one")
    return submit_draft(broker, caller, _as_before(old, asked), Draft(new_id, idempotency.body_digest, old))


def _as_before(old: GrantRequest, asked: Extension) -> Submission:
    # Not validated again: a context of an earlier release may hold what is refused today, and can be granted.
    return Submission.model_construct(
        key=old.key_arn,
        grantee=old.grantee,
        operations=old.scope.operations,
        encryption_context=old.scope.encryption_context,
        context_match=old.scope.context_match,
        duration=asked.duration,
        starts_at=None,
        reason=asked.reason,
        ticket=old.ticket,
    )
