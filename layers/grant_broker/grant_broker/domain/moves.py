"""The one place where a status is written. For the named transitions alone: an import contract says so."""

from grant_broker.domain.errors import Conflict
from grant_broker.domain.lifecycle import NEXT, Status
from grant_broker.domain.records import Stamp
from grant_broker.domain.request import GrantRequest, RequestChanges, Transition
from grant_broker.domain.trail import Json
from grant_broker.domain.versions import record_event


def move(
    request: GrantRequest,
    status: Status,
    stamp: Stamp,
    detail: Json,
    changes: RequestChanges,
    *,
    event_type: str | None = None,
    drift: bool = False,
) -> Transition:
    """The transition to a status, off the agenda unless `changes` puts it there; Conflict.

    Its event is named for the status, unless `event_type` says otherwise.
    """
    if status not in NEXT[request.status]:
        raise Conflict(f"the request is {request.status}")
    agenda = RequestChanges(action=None, due=None, attempts=0)
    # Whoever mails what happened reads the event alone.
    told = {**detail, "notify": request.notify} if request.notify else detail
    return record_event(
        request, event_type or str(status), stamp, told, {**agenda, **changes, "status": status}, drift=drift
    )
