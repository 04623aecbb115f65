"""When what is not final yet is worth asking for again, in seconds (Retry-After)."""

from datetime import datetime

from grant_broker.domain.lifecycle import Status
from grant_broker.domain.request import GrantRequest

PEOPLE = 30
"""While people must decide: a vote is seen within half a minute."""
CHECK = 60
"""The checks of a key that were asked for are made within a minute."""
REVOCATION = 2
"""While a mass revocation is at work: what it ends ends within seconds."""
_LONGEST = 3600
# A grant is made within the seconds that one call takes, or settled a minute later; an end takes a second.
_AT_WORK = {Status.PENDING: PEOPLE, Status.ISSUING: 5, Status.ENDING: 2}


def retry_after_of(request: GrantRequest, now: datetime) -> int | None:
    """For a request: None where nothing changes unless its caller acts, or where it is final."""
    if request.status == Status.APPROVED and request.begins > now:
        return min(-int((now - request.begins).total_seconds() // 1), _LONGEST)
    return _AT_WORK.get(request.status)
