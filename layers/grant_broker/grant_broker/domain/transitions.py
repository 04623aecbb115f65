"""What may become of a request: each function is one transition, with its agenda entry and its event.

Nothing else writes a status. Each returns the change, for `Store.commit`; Conflict where `lifecycle` does not
allow it.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from grant_broker.domain.break_glass import BrokenGlass
from grant_broker.domain.errors import Conflict
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.moves import move
from grant_broker.domain.notify import Notify
from grant_broker.domain.preflight import Preflight
from grant_broker.domain.records import Stamp
from grant_broker.domain.request import (
    CONFIRM_AFTER,
    SETTLE_AFTER,
    GrantRequest,
    RequestChanges,
    Transition,
    at_latest,
    end_of,
)
from grant_broker.domain.times import format_duration, format_time, format_time_or_none
from grant_broker.domain.trail import Json
from grant_broker.domain.versions import record_event
from grant_broker.domain.votes import Quorum, Vote

if TYPE_CHECKING:
    # `expiry` makes transitions, and judges no approval.
    from grant_broker.domain.approvals import Approval


def submitted(request: GrantRequest, stamp: Stamp, preflight: Preflight, *, waits: str) -> Transition:
    """Stored, waiting for people; `waits` says why no standing approval covers it."""
    detail = {**_asked(request), "answer_by": format_time_or_none(request.answer_by), "waits": waits}
    return record_event(request, "submitted", stamp, detail, RequestChanges(preflight=preflight))


def submitted_as_covered(
    request: GrantRequest,
    stamp: Stamp,
    preflight: Preflight,
    *,
    approval_id: str,
    take_up_by: datetime,
    notify: Notify,
) -> Transition:
    """Stored, covered by a standing approval from the start; `notify` says what of it is mailed."""
    changes = RequestChanges(
        preflight=preflight,
        status=Status.APPROVED,
        approval=approval_id,
        notify=notify,
        answer_by=None,
        take_up_by=take_up_by,
        action=Action.LAPSE,
        due=at_latest(take_up_by),
    )
    detail = {**_asked(request), "approval": approval_id, "notify": notify}
    return record_event(request, "submitted", stamp, detail, changes)


def voted(request: GrantRequest, stamp: Stamp, votes: "Approval", *, quorum: Quorum) -> Transition:
    """One more vote, and still not enough: it stays pending."""
    detail = {**_last_vote(votes), **_count(request, votes, quorum)}
    return record_event(request, "voted", stamp, detail, RequestChanges(decisions=votes.votes))


def approved(
    request: GrantRequest, stamp: Stamp, votes: "Approval", *, quorum: Quorum, take_up_by: datetime
) -> Transition:
    """The vote that completed the quorum. Of several votes the shortest duration wins."""
    changes = RequestChanges(
        decisions=votes.votes,
        duration=votes.longest,
        take_up_by=take_up_by,
        action=Action.LAPSE,
        due=at_latest(take_up_by),
    )
    detail = {**_last_vote(votes), **_count(request, votes, quorum), "take_up_by": format_time(take_up_by)}
    return move(request, Status.APPROVED, stamp, detail, changes)


def glass_broken(request: GrantRequest, stamp: Stamp, glass: BrokenGlass, *, duration: int) -> Transition:
    """Approved by nobody, in an emergency: for the intent alone, which is stored with it.

    `duration` is in seconds.
    """
    changes = RequestChanges(
        duration=duration,
        broken_glass=glass,
        take_up_by=stamp.at,
        action=Action.LAPSE,
        due=at_latest(stamp.at),
    )
    shortened = request.model_copy(update={"duration": duration})
    detail = {**_asked(shortened), "emergency": glass.reason}
    return move(request, Status.APPROVED, stamp, detail, changes, event_type="break_glass")


def denied(request: GrantRequest, stamp: Stamp, votes: "Approval") -> Transition:
    """One denial is final, whatever the quorum."""
    changes = RequestChanges(decisions=votes.votes, ended_at=stamp.at, end_reason="denied")
    return move(request, Status.DENIED, stamp, _last_vote(votes), changes)


def withdrawn(request: GrantRequest, stamp: Stamp) -> Transition:
    """Taken back by its requester before there was a grant."""
    return _ended_unused(request, Status.WITHDRAWN, stamp, "withdrawn")


def revoked(request: GrantRequest, stamp: Stamp, reason: str, *, revocation: str | None = None) -> Transition:
    """Taken back by the security team before there was a grant; `revocation`: with many others, by that."""
    return _ended_unused(request, Status.REVOKED, stamp, reason, revocation)


def lapsed(request: GrantRequest, stamp: Stamp) -> Transition:
    """Not decided, or not taken up, in time."""
    missed = "decided" if request.status == Status.PENDING else "taken up"
    return _ended_unused(request, Status.LAPSED, stamp, f"not {missed} in time")


def intended(request: GrantRequest, stamp: Stamp, approval_id: str | None, *, margin: int) -> Transition:
    """The intent: from now on KMS may have the grant, whose name and end are fixed here.

    It ends so many seconds of `margin` before its expiry. `approval_id` None: nobody approved it, the glass
    was broken.
    """
    expires_at = end_of(request.duration, stamp.at)
    changes = RequestChanges(
        intent_at=stamp.at,
        issued_at=stamp.at.replace(microsecond=0),
        expires_at=expires_at,
        margin=margin,
        action=Action.SETTLE,
        due=at_latest(min(stamp.at + SETTLE_AFTER, expires_at - timedelta(seconds=margin))),
    )
    early = {"margin": format_duration(margin)} if margin else {}
    detail = {"approval": approval_id, "expires_at": format_time(expires_at), **early}
    return move(request, Status.ISSUING, stamp, detail, changes)


def activated(
    request: GrantRequest, stamp: Stamp, *, grant_id: str, grant_token: str | None = None
) -> Transition:
    """The grant was made, or found. Its token is known to whoever made it alone."""
    expires_at = request.expires_at or stamp.at
    changes = RequestChanges(
        grant_id=grant_id,
        grant_token=grant_token,
        action=Action.END,
        due=at_latest(request.ends_at or stamp.at),
    )
    detail = {
        **_held(request),
        "grant_id": grant_id,
        "name": request.grant_name,
        "expires_at": format_time(expires_at),
    }
    return move(request, Status.ACTIVE, stamp, detail, changes)


def refused(request: GrantRequest, stamp: Stamp, code: str) -> Transition:
    """KMS refused the grant for certain. Looked for once more: certainty has been wrong before."""
    return _closed(request, Status.FAILED, stamp, f"KMS refused: {code}", {"code": code})


def never_made(request: GrantRequest, stamp: Stamp) -> Transition:
    """KMS does not show the grant of an intent minutes after it."""
    reason = "KMS never made the grant"
    return _closed(request, Status.FAILED, stamp, reason, {"reason": reason})


def ending(
    request: GrantRequest, stamp: Stamp, end_as: Status, reason: str, *, revocation: str | None = None
) -> Transition:
    """Must end now, on somebody's word: it is on the agenda at once, and cannot be undone.

    `revocation`: with many others, by that.
    """
    changes = RequestChanges(
        end_as=end_as,
        end_reason=reason,
        revocation=revocation,
        action=Action.END,
        due=at_latest(stamp.at),
    )
    detail = {"as": str(end_as), "reason": reason, **_by_revocation(revocation)}
    return move(request, Status.ENDING, stamp, detail, changes)


def closed(request: GrantRequest, stamp: Stamp) -> Transition:
    """The grant is gone; its name is looked for once more after a while."""
    status = request.end_as or Status.EXPIRED
    reason = request.end_reason or str(status)
    detail = {**_held(request), "reason": reason, **_by_revocation(request.revocation)}
    return _closed(request, status, stamp, reason, detail)


def _closed(request: GrantRequest, status: Status, stamp: Stamp, reason: str, detail: Json) -> Transition:
    changes = RequestChanges(
        ended_at=stamp.at,
        end_reason=reason,
        grant_token=None,
        missing_since=None,
        action=Action.CONFIRM,
        due=at_latest(stamp.at + CONFIRM_AFTER),
    )
    return move(request, status, stamp, detail, changes)


def _ended_unused(
    request: GrantRequest, status: Status, stamp: Stamp, reason: str, revocation: str | None = None
) -> Transition:
    if not request.status.waits:
        raise Conflict(f"the request is {request.status}")
    changes = RequestChanges(ended_at=stamp.at, end_reason=reason, revocation=revocation)
    return move(request, status, stamp, {"reason": reason, **_by_revocation(revocation)}, changes)


def _by_revocation(revocation: str | None) -> Json:
    return {"revocation": revocation} if revocation else {}


def _asked(request: GrantRequest) -> Json:
    return {
        "requester": request.requester_arn,
        "grantee": request.grantee,
        "key": request.key_arn,
        **request.scope.model_dump(mode="json"),
        "duration": format_duration(request.duration),
        "starts_at": format_time_or_none(request.starts_at),
        "reason": request.reason,
        "ticket": request.ticket,
        **({"extends": request.extends} if request.extends else {}),
    }


def _held(request: GrantRequest) -> Json:
    """Whose grant it is, and on which key."""
    return {"grantee": request.grantee, "key": request.key_arn}


def _last_vote(votes: "Approval") -> Json:
    vote: Vote = votes.votes[-1]
    shortened = {"duration": format_duration(vote.duration)} if vote.duration else {}
    return {"verdict": str(vote.verdict), "comment": vote.comment, "digest": vote.digest, **shortened}


def _count(request: GrantRequest, votes: "Approval", quorum: Quorum) -> Json:
    agreed = votes.agreed(quorum, requester=request.requester, grantee=request.grantee)
    return {"votes": agreed, "quorum": quorum.needed}
