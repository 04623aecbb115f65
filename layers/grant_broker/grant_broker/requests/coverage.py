"""Which standing approval covers a request, if people need not vote on it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from grant_broker.domain.approvals import Approval, Coverage
from grant_broker.domain.continuity import MOST, Wanted, continuity, pause
from grant_broker.domain.keys import Key
from grant_broker.domain.request import GrantRequest
from grant_broker.requests.broker import RequestsBroker


@dataclass(frozen=True)
class Cover:
    """The standing approval that covers a request, None where people must vote; `reason` says why."""

    approval: Approval | None
    reason: str


def find_cover(broker: RequestsBroker, request: GrantRequest, key: Key) -> Cover:
    """Find the standing approval that covers a request, if there is one and it is not held for too long."""
    asked, quorum = request.asked(request.begins), broker.settings.quorum(key.document.quorum)
    for approval in broker.store.lists.list_approvals_for(key_arn=request.key_arn, account=request.account):
        coverage = approval.covers(asked, quorum=quorum)
        if coverage.covered:
            kept = check_continuity(broker, request, key, at=request.begins)
            return Cover(approval, coverage.reason) if kept.covered else Cover(None, kept.reason)
    return Cover(None, "no standing approval covers it")


def check_continuity(broker: RequestsBroker, request: GrantRequest, key: Key, *, at: datetime) -> Coverage:
    """Check whether a request taken up at a moment stays within the key's `max_continuous`."""
    longest = key.document.longest_held
    since = at - timedelta(seconds=longest) - pause(longest)
    held = broker.store.lists.list_holdings(
        key_arn=request.key_arn, grantee=request.grantee, since=since, most=MOST + 1
    )
    wanted = Wanted(request.id, request.scope, request.duration, at)
    return continuity(held, wanted, longest=longest, now=broker.clock())
