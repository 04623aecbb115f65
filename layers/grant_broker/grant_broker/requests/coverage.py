"""Which standing approval covers a request, if people need not vote on it."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from grant_broker.domain.accounts import Account
from grant_broker.domain.approvals import Approval
from grant_broker.domain.continuity import MOST, Holding, Wanted, continuity, pause
from grant_broker.domain.coverage import Coverage
from grant_broker.domain.keys import Key
from grant_broker.domain.recertification import find_unreviewed
from grant_broker.domain.request import GrantRequest
from grant_broker.requests.broker import RequestsBroker


class Cover(NamedTuple):
    """The standing approval that covers a request, None where people must vote; `reason` says why."""

    approval: Approval | None
    reason: str


def find_cover(
    broker: RequestsBroker,
    request: GrantRequest,
    key: Key,
    *,
    account: Account | None,
    approvals: Iterable[Approval],
    held: Callable[[], Collection[Holding]],
) -> Cover:
    """Find which of these standing approvals covers a request, if it would not be `held` for too long."""
    asked, quorum = request.asked(request.begins), broker.settings.quorum(key.document)
    reason = "no standing approval covers it"
    for approval in approvals:
        coverage = approval.covers(asked, quorum=quorum)
        if coverage.covered:
            if unseen := _find_unreviewed(key, account, request.begins):
                return Cover(None, unseen)
            kept = _judge_continuity(broker, request, key, held(), at=request.begins)
            return Cover(approval, coverage.reason) if kept.covered else Cover(None, kept.reason)
        if coverage.out_of_hours:
            reason = f"no standing approval covers it, since {coverage.reason}"
    return Cover(None, reason)


def check_standing(broker: RequestsBroker, request: GrantRequest, key: Key, *, at: datetime) -> Coverage:
    """Check what else a standing approval needs for a request that is taken up at a moment.

    That its key and its account were reviewed in time, and that `max_continuous` is not exceeded.
    """
    if unseen := _find_unreviewed(key, broker.store.find_account(request.account), at):
        return Coverage(covered=False, reason=unseen)
    held = list_held(broker, key, request.grantee, at=at)
    return _judge_continuity(broker, request, key, held, at=at)


def _find_unreviewed(key: Key, account: Account | None, at: datetime) -> str | None:
    return find_unreviewed(at, ("the key", key), ("the account", account))


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
