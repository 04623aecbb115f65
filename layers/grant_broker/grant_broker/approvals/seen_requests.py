"""What an approver should see beside a request: how the votes stand, and what else its grantee holds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache

from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.domain.continuity import Holding
from grant_broker.domain.decisions import may_decide
from grant_broker.domain.parties import Voter
from grant_broker.domain.people import Caller
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.seen_request import SeenRequest
from grant_broker.domain.votes import count_agreed

_MOST_OTHERS = 50
# A grant that is overdue is live still.
_OVERDUE = timedelta(days=1)


def request_reader(broker: ApprovalsBroker, caller: Caller) -> Callable[[GrantRequest], SeenRequest]:
    """Make what reads requests as a caller sees them; it reads the key of many requests once."""
    find_key = cache(broker.store.find_key)
    voter = Voter.of(caller, broker.person(caller))

    def read(request: GrantRequest) -> SeenRequest:
        key = find_key(request.key_arn)
        if key is None:
            return SeenRequest(request, 0, None, tuple(_others(broker, request)))
        quorum = broker.settings.quorum(key.document)
        given = count_agreed(
            request.decisions, request.digest, quorum, requester=request.requester, grantee=request.grantee
        )
        decides = may_decide(
            voter, key.document.approvers, requester=request.requester, grantee=request.grantee
        )
        return SeenRequest(request, given, quorum.needed, tuple(_others(broker, request)), decides)

    return read


def read_closely(broker: ApprovalsBroker, caller: Caller, request: GrantRequest) -> SeenRequest:
    """Read one request as a caller sees it; while it is open, also when its key was last used, by anybody."""
    found = request_reader(broker, caller)(request)
    if request.status.final:
        return found
    return replace(found, last_use=broker.kms.find_last_use(request.key_arn))


def _others(broker: ApprovalsBroker, request: GrantRequest) -> Iterator[Holding]:
    """The grantee's other grants on the key, those that last longest first, up to a bound."""
    held = broker.store.lists.list_holdings(
        key_arn=request.key_arn,
        grantee=request.grantee,
        since=broker.clock() - _OVERDUE,
        most=_MOST_OTHERS,
    )
    return (each for each in held if each.request_id != request.id and not each.status.final)
