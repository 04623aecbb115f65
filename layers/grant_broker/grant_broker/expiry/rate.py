"""How many grants may be ended in one second, shared by all runs and stream batches that end any.

KMS throttles RetireGrant and RevokeGrant each by account and Region. Up to three scheduled runs overlap, and
the stream works beside them, so a rate that each kept for itself would be kept by nobody.
"""

from grant_broker.domain.errors import Unavailable
from grant_broker.expiry.broker import ExpiryBroker

_AT_ONCE = 3  # runs that may overlap


def claim_ends(broker: ExpiryBroker, wanted: int, *, kind: str = "retire") -> int:
    """Claim ends of the present second; how many may be made. Each `kind` has a quota of its own.

    Where the counter does not answer, a fair share: to end a little fast is better than not to end.
    """
    rate = broker.settings.end_rate
    wanted = min(wanted, rate)
    if wanted <= 0:
        return 0
    try:
        taken = broker.store.counters.claim(kind, int(broker.clock().timestamp()), wanted)
    except Unavailable:
        return min(wanted, max(1, rate // _AT_ONCE))
    return max(0, min(wanted, rate - (taken - wanted)))
