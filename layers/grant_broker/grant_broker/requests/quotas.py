"""Abuse limits: what one account may send in a minute, have stored in an hour, and hold open at a time.

Counters and open requests are read and written in the account's own partitions: what one account does costs
no other. Nothing here can drift: a counter lives for its hour, what is open is counted from the records.
"""

from collections.abc import Sequence

from grant_broker.aws.counters import CallLimits
from grant_broker.domain.allowance import Allowance, OpenRequest, Refusal
from grant_broker.domain.errors import Stale, TooManyRequests
from grant_broker.requests.broker import RequestsBroker

_MINUTE, _HOUR = 60, 3600


def count_call(broker: RequestsBroker, account: str, *, stored: int = 0) -> None:
    """Count a submission, dry run or question of an account, and the bytes that it will have stored.

    TooManyRequests above the calls of a minute, or the bytes of an hour. A call whose answer is lost counts,
    and may count twice when it is repeated; what is refused later counts as well.
    """
    now, settings = int(broker.clock().timestamp()), broker.settings
    limits = CallLimits(settings.submissions_per_minute, settings.stored_bytes_per_hour)
    try:
        broker.store.counters.count_call(account, limits, now=now, stored=stored)
    except Stale as error:
        raise _refusal(broker, account, limits, now) from error


def _refusal(broker: RequestsBroker, account: str, limits: CallLimits, now: int) -> TooManyRequests:
    most = limits.calls_per_minute
    if broker.store.counters.find_calls(account, now=now) >= most:
        detail = f"an account may send {most} submissions and dry runs a minute, questions included"
        return TooManyRequests(detail, retry_after=_MINUTE - now % _MINUTE)
    detail = f"what an account submits may take {limits.stored_per_hour} bytes of storage an hour: send less"
    return TooManyRequests(detail, retry_after=_HOUR - now % _HOUR)


def list_open(broker: RequestsBroker, account: str) -> list[OpenRequest]:
    """List the requests that an account holds open, up to as many as it may."""
    return broker.store.lists.list_open(account, limit=broker.settings.open_per_account)


def ensure_room(broker: RequestsBroker, held: Sequence[OpenRequest], *, grantee: str, waits: bool) -> None:
    """TooManyRequests where the account holds as many open requests as it may; `waits`: for people."""
    if refusal := find_refusal(broker, held, grantee=grantee, waits=waits):
        raise TooManyRequests(
            f"{refusal.reason}: withdraw or release one, or wait", retry_after=refusal.retry_after
        )


def find_refusal(
    broker: RequestsBroker, held: Sequence[OpenRequest], *, grantee: str, waits: bool
) -> Refusal | None:
    """Find why the account that holds these may not open one more request; None where it may.

    From an index, eventually consistent: calls within its lag, usually under a second, may together go over
    the limit by as many as they are; the count of a minute bounds that.
    """
    settings = broker.settings
    allowance = Allowance(
        account=settings.open_per_account,
        grantee=settings.open_per_grantee,
        pending=settings.pending_per_account,
    )
    return allowance.refusal(held, grantee=grantee, waits=waits, now=broker.clock())
