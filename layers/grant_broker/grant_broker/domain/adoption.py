"""The changes by which drift is recorded: a record for a grant without one, and the ends that follow."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.live_grants import LiveGrant
from grant_broker.domain.records import Change
from grant_broker.domain.request import CONFIRM_AFTER, GrantRequest, agenda
from grant_broker.domain.scope import ContextMatch, Scope
from grant_broker.domain.times import LONGEST
from grant_broker.domain.trail import Head

BY = "reconcile"
OUTSIDE = "the grant was ended outside the broker"
_UNKNOWN = "unknown"
# A record has a scope, whatever its grant allows; the event says what KMS showed.
_NO_SCOPE = Scope(
    operations=("DescribeKey",), encryption_context={_UNKNOWN: ""}, context_match=ContextMatch.SUBSET
)
_PATH = (Status.PENDING, Status.APPROVED, Status.ISSUING, Status.ACTIVE)


def adopt(
    grant: LiveGrant, *, record_id: str, longest: int, fault: str | None, shown: dict[str, Any],
    after: Head, now: datetime, event_id: str,
) -> Change:  # fmt: skip
    """The record of a grant that has none: `active` while it may live, else `ending` at once.

    `longest` is the key's max_duration in seconds, `after` what is left of the lost record's trail.
    """
    end = grant.end(longest)
    over = fault or ("its time is over" if end <= now else None)
    if over:
        end_as = Status.REVOKED if fault else Status.EXPIRED
        fields = {**_ending(over, end_as, now), "status": Status.ENDING}
    else:
        fields = {**agenda(Action.END, end), "status": Status.ACTIVE}
    return _base(grant, record_id, end, now, after).recorded(
        "adopted", at=now, by=BY, event_id=event_id,
        detail={"status": str(fields["status"]), "reason": over, "drift": True, **shown}, **fields,
    )  # fmt: skip


def resume(
    record: GrantRequest, grant: LiveGrant, *, now: datetime, new_id: Callable[[], str]
) -> list[Change]:
    """The transitions, in order, of a request that a restored table holds as it was before its grant."""
    known = {
        "intent_at": grant.created_at, "issued_at": grant.created_at, "expires_at": grant.expiry,
        "grant_id": grant.grant_id, "kms_name": grant.name, **agenda(Action.END, grant.expiry or now),
    }  # fmt: skip
    detail = {"reason": "KMS shows its grant", "drift": True, "grant_id": grant.grant_id}
    changes: list[Change] = []
    for status in _PATH[_PATH.index(record.status) + 1 :]:
        changes.append(record.to(status, at=now, by=BY, event_id=new_id(), detail=detail, **known))
        record = record.model_copy(update=dict(changes[-1].record))
    return changes


def end(
    record: GrantRequest, reason: str, *, grant_id: str | None, drift: bool, now: datetime, event_id: str
) -> Change:
    """The transition to `ending`, on the agenda at once."""
    return record.to(
        Status.ENDING, at=now, by=BY, event_id=event_id,
        detail={"reason": reason, "drift": drift, "grant_id": grant_id},
        grant_id=grant_id, **_ending(reason, Status.REVOKED, now),
    )  # fmt: skip


def confirm(record: GrantRequest, reason: str, *, now: datetime, event_id: str) -> Change:
    """A final request whose grant lives: no transition, but its grant must be looked up and ended now."""
    return record.recorded(
        "drift", at=now, by=BY, event_id=event_id,
        detail={"reason": reason, "drift": True, "grant_id": record.grant_id},
        **agenda(Action.CONFIRM, now), attempts=0,
    )  # fmt: skip


def close(record: GrantRequest, *, now: datetime, event_id: str) -> Change:
    """The end of a request in `ending` whose grant KMS no longer shows; it is looked for once more later."""
    reason = record.end_reason or OUTSIDE
    return record.to(
        record.end_as or Status.REVOKED, at=now, by=BY, event_id=event_id, detail={"reason": reason},
        ended_at=now, end_reason=reason, grant_token=None, missing_since=None,
        **agenda(Action.CONFIRM, now + CONFIRM_AFTER),
    )  # fmt: skip


def _ending(reason: str, end_as: Status, now: datetime) -> dict[str, Any]:
    return {"end_reason": reason, "end_as": end_as, **agenda(Action.END, now)}


def _base(grant: LiveGrant, record_id: str, end: datetime, now: datetime, after: Head) -> GrantRequest:
    duration = min(LONGEST, max(1, int((end - grant.created_at).total_seconds())))
    return GrantRequest(
        id=record_id, status=Status.ACTIVE, requester_arn=_UNKNOWN, account=grant.account or _UNKNOWN,
        requester_person=_UNKNOWN, grantee=grant.grantee or _UNKNOWN, key_arn=grant.key_arn,
        scope=grant.scope or _NO_SCOPE, duration=duration, asked_duration=duration, starts_at=None,
        reason="adopted: KMS shows this grant, and the broker had no record of it", ticket=None,
        created_at=now, answer_by=None, intent_at=grant.created_at, issued_at=grant.created_at,
        expires_at=end, grant_id=grant.grant_id, kms_name=grant.name, events=after.events,
        last_hash=after.last_hash,
    )  # fmt: skip
