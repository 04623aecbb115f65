"""Take a grant back, or what would become one."""

from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.domain.errors import Conflict
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.transitions import ending, revoked
from grant_broker.retries import apply_to_latest

_INSTEAD = {
    Status.PENDING: "deny it instead",
    Status.ENDING: "it ends already, and nothing more is needed",
}


def revoke(broker: ApprovalsBroker, request_id: str, *, by: str, reason: str) -> GrantRequest:
    """End a grant now; the request after it: `ending`, or `revoked` where nobody took it up yet.

    One in `issuing` is ended as soon as its grant is seen. The votes are withdrawn with it, in their own
    table: a restored request table must not revive it. Raises NotFound, Conflict in every other state.
    """
    request = broker.store.get_request(request_id)
    return apply_to_latest(broker, request, lambda latest: _revoke(broker, latest, by=by, reason=reason))


def _revoke(broker: ApprovalsBroker, request: GrantRequest, *, by: str, reason: str) -> GrantRequest:
    stamp = broker.stamp(by)
    if instead := _INSTEAD.get(request.status):
        raise Conflict(f"the request is {request.status}: {instead}")
    if request.status.waits:
        change = revoked(request, stamp, reason)
    else:
        change = ending(request, stamp, Status.REVOKED, reason)
    votes = broker.store.find_votes(request.id)
    broker.store.commit(change, *([votes.void(stamp.at)] if votes else []))
    return change.record
