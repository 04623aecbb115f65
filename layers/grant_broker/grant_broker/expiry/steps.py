"""What the agenda asks for, one request at a time: lapse, settle, end, confirm.

Every step reads its record again and writes on the version it read, so that overlapping runs, repeated
stream records and an index that lags are harmless. A crash between KMS and the table leaves the record on
the agenda: the next attempt finds the grant gone and closes the record.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

from grant_broker.domain.backoff import backoff
from grant_broker.domain.bookkeeping import (
    claimed,
    confirm_at,
    end_at,
    end_failed,
    late_duplicate,
    postponed,
    rescheduled,
    seen_absent,
    settle_later,
)
from grant_broker.domain.errors import GrantNotFound, KmsRefused, KmsUncertain, Stale
from grant_broker.domain.failures import reason_of
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.listed_grant import ListedGrant, is_unique_id
from grant_broker.domain.records import ChangeOf
from grant_broker.domain.request import CONFIRM_AFTER, FAILED_AFTER, SPREADS_WITHIN, GrantRequest
from grant_broker.domain.transitions import activated, closed, lapsed, never_made
from grant_broker.domain.uses import Use
from grant_broker.expiry.broker import ExpiryBroker

_LOG = logging.getLogger(__name__)
BY = "expiry"
_UNSEEN = timedelta(seconds=5)
"""Between two looks for a grant that is to end and that KMS does not show yet."""
_FIRST_PAUSE, _LONGEST_PAUSE = 2, 300  # seconds between attempts that KMS refused


def act(
    broker: ExpiryBroker, request_id: str, *, listed: ListedGrant | None = None, early: bool = False
) -> bool:
    """Do what is due for a request, if anything still is; False where KMS failed and it is postponed.

    A grant is ended by RetireGrant, and where that is refused by RevokeGrant; by RevokeGrant at once where
    it is `listed`: what ListGrants showed of it, at whatever time, since of what counts nothing can change.
    `early`: end what is `ending` now, not in its whole second on the agenda. Errors of the database, but for
    a lost race, are the caller's: the entry is still on the agenda.
    """
    request = broker.store.find_request(request_id)
    if request is None or not _is_due(broker, request, early=early):
        return True
    if request.action is None:
        raise ValueError("nothing is to be done for the request, yet it is on the agenda")
    try:
        _act(broker, request, request.action, listed)
    except Stale:
        # Another run was first; what it left on the agenda is found there.
        return True
    except (KmsUncertain, KmsRefused) as error:
        _postpone(broker, request_id, error)
        return False
    return True


def _is_due(broker: ExpiryBroker, request: GrantRequest, *, early: bool) -> bool:
    if early and request.status == Status.ENDING and not request.attempts:
        return True
    return request.due is not None and request.due <= broker.clock().timestamp()


def _act(broker: ExpiryBroker, request: GrantRequest, action: Action, listed: ListedGrant | None) -> None:
    if action != request.next_action:
        # Not what its status wants, so none of ours has put it there.
        broker.store.commit(rescheduled(request, broker.clock()))
        return
    claim = claimed(request, broker.clock())
    broker.store.commit(claim)
    _STEPS[action](broker, claim.record, listed)


def _lapse(broker: ExpiryBroker, request: GrantRequest, _listed: ListedGrant | None) -> None:
    broker.store.commit(lapsed(request, broker.stamp(BY)))


def _settle(broker: ExpiryBroker, request: GrantRequest, _listed: ListedGrant | None) -> None:
    """Find the outcome of an intent: KMS knows it, by grantee and exact name."""
    if grant_id := _find_grant_id(broker, request):
        broker.store.commit(activated(request, broker.stamp(BY), grant_id=grant_id))
        return
    now = broker.clock()
    if request.intent_at and now - request.intent_at < FAILED_AFTER:
        broker.store.commit(settle_later(request, now))
    else:
        broker.store.commit(never_made(request, broker.stamp(BY)))


def _end(broker: ExpiryBroker, request: GrantRequest, listed: ListedGrant | None) -> None:
    now = broker.clock()
    if grant_id := request.grant_id or _find_grant_id(broker, request):
        _end_grant(broker, request, grant_id, listed)
    elif request.intent_at and now - request.intent_at < FAILED_AFTER:
        # KMS may have it and not show it yet: closed now, it would be found minutes later, as a duplicate.
        broker.store.commit(end_at(request, now + _UNSEEN))
        return
    change = closed(request, broker.stamp(BY))
    _commit_as_used(broker, change, *filter(None, [grant_id]))
    broker.measure("GrantsEnded", 1)
    answered = change.record.ended_at
    if answered and request.ends_at:
        late = (answered - request.ends_at).total_seconds()
        broker.measure("EndLatenessSeconds", max(0.0, late))


def _confirm(broker: ExpiryBroker, request: GrantRequest, _listed: ListedGrant | None) -> None:
    """Look for the name again, minutes after the end: a CreateGrant may take effect late."""
    found = _find_grants(broker, request) if request.expires_at else []
    if not found:
        _confirm_absence(broker, request)
        return
    ids = [grant.grant_id for grant in found]
    for grant_id in ids:
        _end_grant(broker, request, grant_id)
    _LOG.error("a late duplicate was ended", extra={"request": request.id, "grants": ids})
    broker.measure("LateDuplicates", len(ids))
    _commit_as_used(broker, late_duplicate(request, broker.stamp(BY), ids), *ids)


def _commit_as_used(broker: ExpiryBroker, change: ChangeOf[GrantRequest], *others: str) -> None:
    """Write a change after an end at KMS, and in the same transaction that the request was used.

    Where another writer was first, that alone is written: the grant is gone, whatever the record says by now,
    and whoever can write records must not keep it from being known. `others`: ids of further grants.
    """
    record, now = change.record, broker.clock()
    grant_ids = dict.fromkeys([*filter(None, [record.grant_id]), *others])
    use = Use(request_id=record.id, at=now, key_arn=record.key_arn, grant_ids=tuple(grant_ids))
    marks = [broker.store.uses.mark(use), *broker.store.glass.mark_used(record, use)]
    try:
        broker.store.commit(change, others=marks)
    except Stale:
        broker.store.database.transact(marks)
        raise


_STEPS: dict[Action, Callable[[ExpiryBroker, GrantRequest, ListedGrant | None], None]] = {
    Action.LAPSE: _lapse,
    Action.SETTLE: _settle,
    Action.END: _end,
    Action.CONFIRM: _confirm,
}


def _confirm_absence(broker: ExpiryBroker, request: GrantRequest) -> None:
    last_look = request.ended_at and request.ended_at + CONFIRM_AFTER
    if last_look and broker.clock() < last_look:
        # Asked for early, by whoever saw the grant being made: KMS may not list it yet.
        broker.store.commit(confirm_at(request, last_look))
    else:
        broker.store.commit(seen_absent(request, broker.clock()))


def _end_grant(
    broker: ExpiryBroker, request: GrantRequest, grant_id: str, listed: ListedGrant | None = None
) -> None:
    """End one grant, whichever way works. Raises KmsRefused or KmsUncertain unless it is known to be gone."""
    if listed and (listed.key_arn, listed.grant_id) == (request.key_arn, grant_id):
        _revoke(broker, request, listed)
        return
    try:
        broker.ender.retire_grant(key_arn=request.key_arn, grant_id=grant_id)
    except GrantNotFound:
        if not _retire_by_token(broker, request):
            _ensure_gone(broker, request, grant_id)
    except KmsRefused as error:
        _LOG.warning("RetireGrant was refused", extra={"request": request.id, "code": error.code})
        if found := broker.kms.find_grant(key_arn=request.key_arn, grant_id=grant_id):
            _revoke(broker, request, found)


def _retire_by_token(broker: ExpiryBroker, request: GrantRequest) -> bool:
    """End a grant that KMS does not find by its id, where that may be since it is new."""
    issued_at = request.issued_at
    if request.grant_token is None or issued_at is None or broker.clock() >= issued_at + SPREADS_WITHIN:
        return False
    try:
        broker.ender.retire_grant_by_token(key_arn=request.key_arn, grant_token=request.grant_token)
    except (GrantNotFound, KmsRefused):
        # Gone for certain, or no token of KMS's: a record that somebody forged must not be stuck here.
        return False
    return True


def _revoke(broker: ExpiryBroker, request: GrantRequest, grant: ListedGrant) -> None:
    # RevokeGrant reaches every grant on the key: only what ListGrants showed to be the broker's own.
    if not _is_ours(broker, request, grant):
        raise KmsRefused("NotOurs", "the grant of this id carries another name or retiring principal")
    try:
        broker.ender.revoke_grant(key_arn=request.key_arn, grant_id=grant.grant_id)
    except GrantNotFound:
        _ensure_gone(broker, request, grant.grant_id)


def _ensure_gone(broker: ExpiryBroker, request: GrantRequest, grant_id: str) -> None:
    """Ask ListGrants: NotFound may also mean the wrong key, or a grant that has not spread yet."""
    if broker.kms.find_grant(key_arn=request.key_arn, grant_id=grant_id) or _find_grants(broker, request):
        raise KmsUncertain("NotFoundException", "the grant is listed, but KMS cannot find it")


def _is_ours(broker: ExpiryBroker, request: GrantRequest, grant: ListedGrant) -> bool:
    if grant.name != request.grant_name:
        return False
    retiring = grant.retiring_principal or ""
    # Once this function's role was deleted, KMS shows its unique id: beside a name of ours it was ours.
    return retiring == broker.settings.retiring_principal or (grant.named_as_ours and is_unique_id(retiring))


def _find_grants(broker: ExpiryBroker, request: GrantRequest) -> list[ListedGrant]:
    """Find the live grants of a request: by its name, or by its id where the name may be another grant's."""
    if request.bears_own_name:
        listed = broker.kms.list_grants_of(key_arn=request.key_arn, grantee=request.grantee)
    else:
        listed = _find_by_id(broker, request)
    return [grant for grant in listed if _is_ours(broker, request, grant)]


def _find_by_id(broker: ExpiryBroker, request: GrantRequest) -> Iterator[ListedGrant]:
    grant = request.grant_id and broker.kms.find_grant(key_arn=request.key_arn, grant_id=request.grant_id)
    if grant:
        yield grant


def _find_grant_id(broker: ExpiryBroker, request: GrantRequest) -> str | None:
    found = _find_grants(broker, request)
    return found[0].grant_id if found else None


def _postpone(broker: ExpiryBroker, request_id: str, error: KmsUncertain | KmsRefused) -> None:
    """Put it back on the agenda for a pause that doubles up to 5 minutes, for ever."""
    _LOG.error("KMS did not end or find a grant", extra={"request": request_id, "kms": str(error)})
    broker.measure("EndFailures", 1)
    broker.measure(f"EndFailures{reason_of(error.code)}", 1)
    request = broker.store.find_request(request_id)
    if request is None or request.action is None:
        return
    attempts = request.attempts + 1
    pause = backoff(request.attempts, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
    until = broker.clock() + timedelta(seconds=pause)
    told = attempts & request.attempts == 0  # the 1st, 2nd, 4th, 8th … attempt
    change = (
        end_failed(request, broker.stamp(BY), until=until, code=error.code)
        if told
        else postponed(request, until)
    )
    try:
        broker.store.commit(change)
    except Stale:
        # Another run has moved it on.
        return
