"""The transitions by which reconcile puts right what KMS and the records disagree about.

A grant without a record gets one, a record that a restored table holds as it was catches up, and what must
not live is put to `ending`.
"""

from collections.abc import Callable

from grant_broker.domain.lifecycle import OPEN, Action, Status
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.moves import move
from grant_broker.domain.records import Stamp
from grant_broker.domain.request import GrantRequest, RequestChanges, Transition, at_latest
from grant_broker.domain.scope import ContextMatch, Scope
from grant_broker.domain.times import LONGEST
from grant_broker.domain.trail import Head
from grant_broker.domain.versions import record_event

ADOPTED = "adopted"
NOT_LISTED = "KMS does not list the grant any more"
_UNKNOWN = "unknown"
# A record has a scope, whatever its grant allows; the event says what KMS showed.
_NO_SCOPE = Scope(
    operations=("DescribeKey",), encryption_context={_UNKNOWN: ""}, context_match=ContextMatch.SUBSET
)
_PATH = OPEN[: OPEN.index(Status.ACTIVE) + 1]


def adopted(
    grant: ListedGrant,
    stamp: Stamp,
    *,
    record_id: str,
    longest: int,
    fault: str | None,
    after: Head,
) -> Transition:
    """The record of a grant that has none: `active` while it may live, else `ending` at once.

    `longest` is the key's max_duration in seconds, `fault` why it may not live,
    `after` where the trail of a lost record goes on.
    """
    end = grant.end(longest)
    over = fault or ("its time is over" if end <= stamp.at else None)
    changes = RequestChanges(status=Status.ACTIVE, action=Action.END, due=at_latest(end))
    if over:
        end_as = Status.REVOKED if fault else Status.EXPIRED
        changes = {**_ending(stamp, end_as, over), "status": Status.ENDING}
    detail = {"status": str(changes["status"]), "reason": over, **grant.detail}
    record = _record_of(grant, stamp, record_id, longest, after)
    return record_event(record, ADOPTED, stamp, detail, changes, drift=True)


def caught_up(record: GrantRequest, grant: ListedGrant, new_stamp: Callable[[], Stamp]) -> list[Transition]:
    """The transitions, in order, of a request that a restored table holds as it was before its grant."""
    detail = {"reason": "KMS shows its grant", "grant_id": grant.grant_id}
    changes: list[Transition] = []
    for status in _PATH[_PATH.index(record.status) + 1 :]:
        stamp = new_stamp()
        known = RequestChanges(
            intent_at=grant.created_at,
            issued_at=grant.created_at,
            expires_at=grant.expiry,
            grant_id=grant.grant_id,
            kms_name=grant.name,
            action=Action.END,
            due=at_latest(grant.expiry or stamp.at),
        )
        changes.append(move(record, status, stamp, detail, known, drift=True))
        record = changes[-1].record
    return changes


def ending_unfit(
    record: GrantRequest, stamp: Stamp, reason: str, *, grant_id: str | None, drift: bool
) -> Transition:
    """Its grant may not live: on the agenda at once. `drift`: nobody in their right has asked for that."""
    changes = RequestChanges(grant_id=grant_id, **_ending(stamp, Status.REVOKED, reason))
    detail = {"reason": reason, "grant_id": grant_id}
    return move(record, Status.ENDING, stamp, detail, changes, drift=drift)


def ending_unlisted(record: GrantRequest, stamp: Stamp) -> Transition:
    """KMS did not list its grant, twice: ended by others, or out of sight. `expiry` finds out which."""
    return ending_unfit(record, stamp, NOT_LISTED, grant_id=record.grant_id, drift=True)


def alive_after_end(record: GrantRequest, stamp: Stamp, reason: str) -> Transition:
    """A final request whose grant lives: no transition, but its grant must be looked up and ended now."""
    changes = RequestChanges(action=Action.CONFIRM, due=at_latest(stamp.at), attempts=0)
    detail = {"reason": reason, "grant_id": record.grant_id}
    return record_event(record, "drift", stamp, detail, changes, drift=True)


def _ending(stamp: Stamp, end_as: Status, reason: str) -> RequestChanges:
    return RequestChanges(end_reason=reason, end_as=end_as, action=Action.END, due=at_latest(stamp.at))


def _record_of(grant: ListedGrant, stamp: Stamp, record_id: str, longest: int, after: Head) -> GrantRequest:
    end = grant.end(longest)
    duration = min(LONGEST, max(1, int((end - grant.created_at).total_seconds())))
    return GrantRequest(
        id=record_id,
        status=Status.ACTIVE,
        requester_arn=_UNKNOWN,
        account=grant.account or _UNKNOWN,
        requester_person=_UNKNOWN,
        grantee=grant.grantee or _UNKNOWN,
        key_arn=grant.key_arn,
        scope=grant.scope or _NO_SCOPE,
        duration=duration,
        asked_duration=duration,
        starts_at=None,
        reason="adopted: KMS shows this grant, and the broker had no record of it",
        ticket=None,
        created_at=stamp.at,
        answer_by=None,
        intent_at=grant.created_at,
        issued_at=grant.created_at,
        expires_at=end,
        grant_id=grant.grant_id,
        kms_name=grant.name,
        events=after.events,
        last_hash=after.last_hash,
    )
