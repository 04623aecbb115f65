"""Changes of a request that are no transition: what the agenda says of it, and what KMS showed.

None of them has an event unless people must hear of it, and none touches the status.
"""

from datetime import datetime, timedelta

from grant_broker.domain.lifecycle import Action
from grant_broker.domain.records import ChangeOf, Stamp
from grant_broker.domain.request import (
    CONFIRM_AFTER,
    SETTLE_AFTER,
    GrantRequest,
    Reminder,
    RequestChanges,
    at_latest,
)
from grant_broker.domain.times import format_time_or_none
from grant_broker.domain.trail import Json
from grant_broker.domain.versions import record_event, revise

Note = ChangeOf[GrantRequest]
CLAIM = timedelta(seconds=15)
"""How long a run has an entry of the agenda for itself; a crash meanwhile costs no more than this."""


def reviewed(request: GrantRequest, stamp: Stamp, kind: str, comment: str) -> Note:
    """Somebody else looked at how it was granted, and signed it off."""
    return record_event(request, "reviewed", stamp, {"review": kind, "comment": comment}, {})


def claimed(request: GrantRequest, now: datetime) -> Note:
    """Taken by one run: the others see it again only when the claim is over."""
    return revise(request, RequestChanges(due=at_latest(now + CLAIM)))


def off_agenda(request: GrantRequest) -> Note:
    """Nothing more happens by itself."""
    return revise(request, RequestChanges(action=None, due=None, attempts=0))


def seen_absent(request: GrantRequest, now: datetime) -> Note:
    """Ended, and its name is on KMS's list no more: nothing more happens by itself."""
    changes = RequestChanges(absent_at=now, action=None, due=None, attempts=0)
    return revise(request, changes)


def settle_later(request: GrantRequest, now: datetime) -> Note:
    """KMS does not show the grant yet."""
    return revise(request, RequestChanges(action=Action.SETTLE, due=at_latest(now + SETTLE_AFTER)))


def end_at(request: GrantRequest, when: datetime) -> Note:
    """End it then: KMS does not show its grant yet."""
    return revise(request, RequestChanges(action=Action.END, due=at_latest(when)))


def confirm_at(request: GrantRequest, when: datetime) -> Note:
    """Look for the grant's name then."""
    return revise(request, RequestChanges(action=Action.CONFIRM, due=at_latest(when)))


def postponed(request: GrantRequest, until: datetime) -> Note:
    """The same again later, after one more failed attempt."""
    return revise(request, RequestChanges(due=at_latest(until), attempts=request.attempts + 1))


def end_failed(request: GrantRequest, stamp: Stamp, *, until: datetime, code: str) -> Note:
    """The same as `postponed`, with an event: told at the 1st, 2nd, 4th, 8th … attempt."""
    attempts = request.attempts + 1
    changes = RequestChanges(due=at_latest(until), attempts=attempts)
    return record_event(request, "end_failed", stamp, {"code": code, "attempts": attempts}, changes)


def late_duplicate(request: GrantRequest, stamp: Stamp, grant_ids: list[str]) -> Note:
    """A second grant of the request was found after its end, and ended; it is looked for once more."""
    changes = RequestChanges(action=Action.CONFIRM, due=at_latest(stamp.at + CONFIRM_AFTER))
    return record_event(request, "late_duplicate", stamp, {"grant_ids": grant_ids}, changes)


def made_unwanted(request: GrantRequest, grant_id: str, now: datetime) -> Note:
    """`ending` when KMS answered with its grant: it is to be ended now, by this id if none was known."""
    changes = RequestChanges(grant_id=request.grant_id or grant_id, action=Action.END, due=at_latest(now))
    return revise(request, changes)


def reminded(request: GrantRequest, stamp: Stamp, reminder: Reminder) -> Note:
    """People hear of a deadline that is near: what is left of the record stays as it is."""
    asked: Json = {
        "requester": request.requester_arn,
        "grantee": request.grantee,
        "key": request.key_arn,
        "answer_by": format_time_or_none(request.answer_by),
        "reason": request.reason,
        "ticket": request.ticket,
    }
    held: Json = {
        "grantee": request.grantee,
        "key": request.key_arn,
        "expires_at": format_time_or_none(request.expires_at),
        "ends_at": format_time_or_none(request.ends_at),
    }
    event_type, detail = ("answer_due", asked) if reminder == "answer_by" else ("expiring_soon", held)
    return record_event(request, event_type, stamp, detail, RequestChanges(reminded_of=reminder))


def missing(request: GrantRequest, now: datetime) -> Note:
    """KMS no longer shows the grant: once may be chance."""
    return revise(request, RequestChanges(missing_since=now))


def seen_again(request: GrantRequest) -> Note:
    """KMS shows the grant after all."""
    return revise(request, RequestChanges(missing_since=None))


def rescheduled(request: GrantRequest, now: datetime, *, grant_id: str | None = None) -> Note:
    """Back on the agenda as its status wants it; off it where nothing is to happen any more."""
    if request.status.final:
        return off_agenda(request)
    changes = RequestChanges(
        action=request.next_action,
        due=at_latest(request.next_due(now)),
        missing_since=None,
        grant_id=grant_id or request.grant_id,
    )
    return revise(request, changes)
