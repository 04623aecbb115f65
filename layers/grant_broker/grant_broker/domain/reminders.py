"""Who is reminded when: approvers of what will lapse undecided, holders of what will end."""

from datetime import datetime, timedelta

from grant_broker.domain.lifecycle import Status
from grant_broker.domain.request import GrantRequest, Reminder

BEFORE_ANSWER_BY = timedelta(hours=4)
"""How long before a request lapses its approvers are reminded: or for the last quarter of a shorter wait."""
BEFORE_END = timedelta(minutes=10)
"""How long before a grant ends its holder is told: so between 10 and 5 minutes, by a run every 5 minutes."""
_TOO_LATE = timedelta(minutes=1)
"""What is left when a reminder is no use any more, and might meet `expiry` at the same record."""
OF: dict[Status, Reminder] = {Status.PENDING: "answer_by", Status.ACTIVE: "expires_at"}
AHEAD: dict[Status, timedelta] = {Status.PENDING: BEFORE_ANSWER_BY, Status.ACTIVE: BEFORE_END}
"""What is due later than this is not worth a look."""


def find_reminder(request: GrantRequest, now: datetime) -> Reminder | None:
    """Find what people must be reminded of now; None where there is nothing, or they were already."""
    reminder = OF.get(request.status)
    if reminder is None or request.reminded_of == reminder:
        return None
    begins = _begins(request)
    deadline = request.answer_by if reminder == "answer_by" else request.ends_at
    if begins is None or deadline is None:
        return None
    return reminder if begins <= now < deadline - _TOO_LATE else None


def _begins(request: GrantRequest) -> datetime | None:
    """From when on people are reminded: None for a grant so short that its beginning was the reminder."""
    if request.status == Status.PENDING and request.answer_by:
        return request.answer_by - min(BEFORE_ANSWER_BY, (request.answer_by - request.created_at) / 4)
    if request.issued_at and request.ends_at and request.ends_at - request.issued_at >= 2 * BEFORE_END:
        return request.ends_at - BEFORE_END
    return None
