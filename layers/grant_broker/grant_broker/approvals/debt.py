"""What falls due, and how late it would come, for the security team."""

from datetime import timedelta

from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.domain.ends_ahead import Debt, by_region
from grant_broker.domain.place import EndsPlace

_AHEAD = timedelta(days=1, minutes=1)
_MOST = 200_000  # ends counted of a shard: a call has 25 s


def find_debt(broker: ApprovalsBroker) -> Debt:
    """Count what is overdue and what falls due within a day; from an index, which may be a moment behind."""
    now = broker.clock()
    ends = broker.store.agenda.list_ends(most=_MOST, until=int((now + _AHEAD).timestamp()))
    regions = by_region((broker.settings.region_counted(end.region), end.due) for end in ends)
    believed = broker.store.places.get(EndsPlace()).is_believed(now)
    return Debt(int(now.timestamp()), regions, broker.settings.end_rate, believed)
