"""Take a grant back, or what would become one."""

from datetime import datetime

from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.votes import no_votes
from grant_broker.domain.approvals import Approval
from grant_broker.domain.errors import Conflict, Contended
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.records import ChangeOf
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.transitions import ending, revoked
from grant_broker.retries import apply_to_latest, retry_stale

_INSTEAD = {
    Status.PENDING: "deny it instead",
    Status.ENDING: "it ends already, and nothing more is needed",
}


def revoke(broker: ApprovalsBroker, request_id: str, *, by: str, reason: str) -> GrantRequest:
    """End a grant now; the request after it: `ending`, or `revoked` where nobody took it up yet.

    One in `issuing` is ended as soon as its grant is seen. The votes are withdrawn with it. Raises NotFound,
    Conflict in every other state; Contended where others write the record again and again, and then
    `reconcile` ends the grant all the same.
    """
    request = broker.store.get_request(request_id)
    try:
        return apply_to_latest(broker, request, lambda latest: _revoke(broker, latest, by=by, reason=reason))
    except Contended:
        retry_stale(lambda: broker.store.commit(withdraw_votes(broker, request, broker.clock())))
        raise


def withdraw_votes(broker: ApprovalsBroker, request: GrantRequest, at: datetime) -> ChangeOf[Approval]:
    """Withdraw the votes on a request, also where a standing approval covered it and there are none.

    They are in the table that only `approvals` writes: by them `reconcile` knows that the grant was revoked,
    whatever a restored or forged record says.
    """
    votes = broker.store.find_votes(request.id) or no_votes(request, at)
    return votes.void(at)


def _revoke(broker: ApprovalsBroker, request: GrantRequest, *, by: str, reason: str) -> GrantRequest:
    stamp = broker.stamp(by)
    if instead := _INSTEAD.get(request.status):
        raise Conflict(f"the request is {request.status}: {instead}")
    if request.status.waits:
        change = revoked(request, stamp, reason)
    else:
        change = ending(request, stamp, Status.REVOKED, reason)
    broker.store.commit(change, withdraw_votes(broker, request, stamp.at))
    return change.record
