"""Which standing approval covers a request, if people need not vote on it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from grant_broker.broker import Broker
from grant_broker.domain.approvals import Approval, Coverage
from grant_broker.domain.continuity import MOST, Wanted, continuity, pause
from grant_broker.domain.keys import Key
from grant_broker.domain.request import GrantRequest


@dataclass(frozen=True)
class Cover:
    """The standing approval that covers a request, None where people must vote; `reason` says why."""

    approval: Approval | None
    reason: str


def covering(broker: Broker, request: GrantRequest, key: Key) -> Cover:
    """The standing approval that covers a request, if there is one and it is not held for too long."""
    asked = request.asked(request.begins)
    standing = broker.store.lists.list_approvals_for(key_arn=request.key_arn, account=request.account)
    covers = ((approval, approval.covers(asked, quorum=key.document.quorum)) for approval in standing)
    approval, coverage = next((pair for pair in covers if pair[1].covered), (None, None))
    if approval is None or coverage is None:
        return Cover(None, "no standing approval covers it")
    kept = continuity_of(broker, request, key, at=request.begins)
    return Cover(approval, coverage.reason) if kept.covered else Cover(None, kept.reason)


def continuity_of(broker: Broker, request: GrantRequest, key: Key, *, at: datetime) -> Coverage:
    """Whether a request taken up at a moment stays within the key's `max_continuous`."""
    longest = key.document.max_continuous
    held = broker.store.lists.list_holdings(
        key_arn=request.key_arn, grantee=request.grantee,
        since=at - timedelta(seconds=longest) - pause(longest), most=MOST + 1,
    )  # fmt: skip
    wanted = Wanted(request.id, request.scope, request.duration, at)
    return continuity(held, wanted, longest=longest, now=broker.clock())
