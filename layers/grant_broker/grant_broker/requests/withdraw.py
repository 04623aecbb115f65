"""What the requester's person and the grantee may give back: a request, or its grant."""

from grant_broker.domain.errors import Conflict, NotPermitted
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.people import Caller
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.transitions import ending, withdrawn
from grant_broker.requests.broker import RequestsBroker
from grant_broker.retries import apply_to_latest


def get_own_request(broker: RequestsBroker, caller: Caller, request_id: str) -> GrantRequest:
    """Get a request for its requester's person or its grantee; NotFound or NotPermitted for anybody else."""
    request = broker.store.get_request(request_id, account=caller.account)
    if not request.belongs_to(caller, broker.person(caller)):
        raise NotPermitted("only the requester and the grantee may do this")
    return request


def withdraw(broker: RequestsBroker, caller: Caller, request_id: str) -> GrantRequest:
    """Withdraw a request that has no grant; Conflict unless it is pending or approved."""

    def withdraw_latest(latest: GrantRequest) -> GrantRequest:
        change = withdrawn(latest, broker.stamp(caller.arn))
        broker.store.commit(change)
        return change.record

    return apply_to_latest(broker, get_own_request(broker, caller, request_id), withdraw_latest)


def release(broker: RequestsBroker, caller: Caller, request_id: str) -> GrantRequest:
    """Put an active request to `ending`; repeated, nothing happens. Conflict in any other state.

    The stream ends its grant at once, the agenda if the stream fails.
    """

    def release_latest(latest: GrantRequest) -> GrantRequest:
        if latest.status == Status.ENDING:
            return latest
        if latest.status == Status.ISSUING:
            raise Conflict("the request is issuing: its outcome is not known yet, try again in a moment")
        change = ending(latest, broker.stamp(caller.arn), Status.RELEASED, "released")
        broker.store.commit(change)
        return change.record

    return apply_to_latest(broker, get_own_request(broker, caller, request_id), release_latest)
