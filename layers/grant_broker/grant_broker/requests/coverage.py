"""Which standing approval covers a request, if people need not vote on it."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from grant_broker.domain.approvals import Approval, Coverage
from grant_broker.domain.continuity import MOST, Holding, Wanted, continuity, pause
from grant_broker.domain.keys import Key
from grant_broker.domain.request import GrantRequest
from grant_broker.requests.broker import RequestsBroker


@dataclass(frozen=True)
class Cover:
    """The standing approval that covers a request, None where people must vote; `reason` says why."""

    approval: Approval | None
    reason: str


def find_cover(
    broker: RequestsBroker,
    request: GrantRequest,
    key: Key,
    *,
    approvals: Iterable[Approval],
    held: Callable[[], Collection[Holding]],
) -> Cover:
    """Find which of these standing approvals covers a request, if it would not be `held` for too long."""
    asked, quorum = request.asked(request.begins), broker.settings.quorum(key.document)
    reason = "no standing approval covers it"
    for approval in approvals:
        coverage = approval.covers(asked, quorum=quorum)
        if coverage.covered:
            kept = _judge_continuity(broker, request, key, held(), at=request.begins)
            return Cover(approval, coverage.reason) if kept.covered else Cover(None, kept.reason)
        if coverage.out_of_hours:
            reason = f"no standing approval covers it, since {coverage.reason}"
    return Cover(None, reason)


def check_continuity(broker: RequestsBroker, request: GrantRequest, key: Key, *, at: datetime) -> Coverage:
    """Check whether a request taken up at a moment stays within the key's `max_continuous`."""
    held = list_held(broker, key, request.grantee, at=at)
    return _judge_continuity(broker, request, key, held, at=at)


def list_held(broker: RequestsBroker, key: Key, grantee: str, *, at: datetime) -> list[Holding]:
    """List what a grantee holds and held of a key, as far back as it matters for a grant from a moment on."""
    longest = key.document.longest_held
    since = at - timedelta(seconds=longest) - pause(longest)
    return broker.store.lists.list_holdings(
        key_arn=key.document.key_arn, grantee=grantee, since=since, most=MOST + 1
    )


def _judge_continuity(
    broker: RequestsBroker, request: GrantRequest, key: Key, held: Collection[Holding], *, at: datetime
) -> Coverage:
    wanted = Wanted(request.id, request.scope, request.duration, at)
    return continuity(held, wanted, longest=key.document.longest_held, now=broker.clock())
