"""What the agenda asks for, one request at a time: lapse, settle, end, confirm.

Every step reads its record again and writes on the version it read, so that overlapping runs, repeated
stream records and an index that lags are harmless. A crash between KMS and the table leaves the record on
the agenda: the next attempt finds the grant gone and closes the record.
"""

import logging
from datetime import timedelta

from grant_broker.aws.kms import Grant
from grant_broker.domain.errors import GrantNotFound, KmsRefused, KmsUncertain, Stale
from grant_broker.domain.failures import reason_of
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.records import Change
from grant_broker.domain.request import CONFIRM_AFTER, FAILED_AFTER, SETTLE_AFTER, GrantRequest, agenda
from grant_broker.domain.times import milliseconds
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.requests.take_up import activated

_LOG = logging.getLogger(__name__)
BY = "expiry"
_CLAIM = timedelta(seconds=15)
_FIRST_PAUSE, _LONGEST_PAUSE = 2, 300  # seconds between attempts that KMS refused
_LIVE = frozenset({Status.ACTIVE, Status.ENDING})


def act(broker: ExpiryBroker, request_id: str, *, revoke: bool = False, early: bool = False) -> bool:
    """Do what is due for a request, if anything still is; False where it must be tried again.

    `revoke`: use RevokeGrant's quota beside RetireGrant's, as when more is due than one run can end.
    `early`: end what is `ending` now, not in its whole second on the agenda.
    """
    request = broker.store.find_request(request_id)
    if request is None or request.action is None or not _due(broker, request, early=early):
        return True
    try:
        return _act(broker, request, revoke=revoke)
    except Stale:
        # Another run was first; what it left on the agenda is found there.
        return True
    except (KmsUncertain, KmsRefused) as error:
        _postpone(broker, request_id, error)
        return False


def _due(broker: ExpiryBroker, request: GrantRequest, *, early: bool) -> bool:
    if early and request.status == Status.ENDING and not request.attempts:
        return True
    return request.due is not None and request.due <= broker.clock().timestamp()


def _act(broker: ExpiryBroker, request: GrantRequest, *, revoke: bool) -> bool:
    claimed = request.changed(due=agenda(Action.END, broker.clock() + _CLAIM)["due"])
    broker.store.commit(claimed)
    match request.action:
        case Action.LAPSE:
            return _lapse(broker, claimed.record)
        case Action.SETTLE:
            return _settle(broker, claimed.record)
        case Action.CONFIRM:
            return _confirm(broker, claimed.record)
    return _end(broker, claimed.record, revoke=revoke)


def _lapse(broker: ExpiryBroker, request: GrantRequest) -> bool:
    if request.status not in {Status.PENDING, Status.APPROVED}:
        return _off_agenda(broker, request)
    waited = "decided" if request.status == Status.PENDING else "taken up"
    return _closed(broker, request, Status.LAPSED, reason=f"not {waited} in time")


def _settle(broker: ExpiryBroker, request: GrantRequest) -> bool:
    """Find the outcome of an intent: KMS knows it, by grantee and exact name."""
    if request.status != Status.ISSUING:
        return _off_agenda(broker, request)
    if found := _find(broker, request):
        broker.store.commit(activated(broker, request, grant_id=found[0].grant_id, by=BY))
        return True
    now = broker.clock()
    if request.intent_at and now - request.intent_at < FAILED_AFTER:
        broker.store.commit(request.changed(**agenda(Action.SETTLE, now + SETTLE_AFTER)))
        return True
    return _closed(broker, request, Status.FAILED, reason="KMS never made the grant", confirm=True)


def _end(broker: ExpiryBroker, request: GrantRequest, *, revoke: bool) -> bool:
    if request.status not in _LIVE:
        return _off_agenda(broker, request)
    if grant_id := request.grant_id or _found_id(broker, request):
        _remove(broker, request, grant_id, revoke=revoke)
    answered = broker.clock()
    as_ = request.end_as or Status.EXPIRED
    _closed(broker, request, as_, reason=request.end_reason or str(as_), confirm=True)
    broker.measure("GrantsEnded", 1)
    late = answered - (request.expires_at or answered)
    broker.measure("EndLatenessSeconds", max(0.0, late.total_seconds()))
    return True


def _found_id(broker: ExpiryBroker, request: GrantRequest) -> str | None:
    found = _find(broker, request)
    return found[0].grant_id if found else None


def _remove(broker: ExpiryBroker, request: GrantRequest, grant_id: str, *, revoke: bool) -> None:
    """End one grant. KmsRefused or KmsUncertain unless it is known to be gone."""
    if revoke:
        return _revoke(broker, request, grant_id)
    try:
        broker.ender.retire_grant(key_arn=request.key_arn, grant_id=grant_id)
    except GrantNotFound:
        _ensure_gone(broker, request, grant_id)
    except KmsRefused as error:
        _LOG.warning("RetireGrant was refused", extra={"request": request.id, "code": error.code})
        _revoke(broker, request, grant_id)
    return None


def _revoke(broker: ExpiryBroker, request: GrantRequest, grant_id: str) -> None:
    # RevokeGrant reaches every grant on the key: first see that this one is the broker's own.
    grant = broker.kms.find_grant(key_arn=request.key_arn, grant_id=grant_id)
    if grant is None:
        return
    if not _ours(broker, request, grant):
        raise KmsRefused("NotOurs", "the grant of this id carries another name or retiring principal")
    try:
        broker.ender.revoke_grant(key_arn=request.key_arn, grant_id=grant_id)
    except GrantNotFound:
        _ensure_gone(broker, request, grant_id)


def _ensure_gone(broker: ExpiryBroker, request: GrantRequest, grant_id: str) -> None:
    """NotFound may also mean the wrong key, or a grant that has not spread yet: ListGrants decides."""
    if broker.kms.find_grant(key_arn=request.key_arn, grant_id=grant_id) or _find(broker, request):
        raise KmsUncertain("NotFoundException", "the grant is listed, but KMS cannot find it")


def _ours(broker: ExpiryBroker, request: GrantRequest, grant: Grant) -> bool:
    return (grant.name, grant.retiring_principal) == (
        request.grant_name,
        broker.settings.retiring_principal,
    )


def _find(broker: ExpiryBroker, request: GrantRequest) -> list[Grant]:
    listed = broker.kms.list_grants_of(key_arn=request.key_arn, grantee=request.grantee)
    return [grant for grant in listed if _ours(broker, request, grant)]


def _confirm(broker: ExpiryBroker, request: GrantRequest) -> bool:
    """Minutes after the end: look for the name again, since a CreateGrant may take effect late."""
    late = _find(broker, request) if request.expires_at else []
    now, ids = broker.clock(), [grant.grant_id for grant in late]
    if not late:
        return _not_found(broker, request)
    for grant_id in ids:
        _remove(broker, request, grant_id, revoke=False)
    _LOG.error("a late duplicate was ended", extra={"request": request.id, "grants": ids})
    broker.measure("LateDuplicates", len(ids))
    broker.store.commit(
        request.recorded(
            "late_duplicate", at=now, by=BY, event_id=broker.new_id(), detail={"grant_ids": ids},
            **agenda(Action.CONFIRM, now + CONFIRM_AFTER),
        )
    )  # fmt: skip
    return True


def _not_found(broker: ExpiryBroker, request: GrantRequest) -> bool:
    last_look = request.ended_at and request.ended_at + CONFIRM_AFTER
    if last_look is None or broker.clock() >= last_look:
        return _off_agenda(broker, request)
    # Asked for early, by whoever saw the grant being made: KMS may not list it yet.
    broker.store.commit(request.changed(**agenda(Action.CONFIRM, last_look)))
    return True


def _off_agenda(broker: ExpiryBroker, request: GrantRequest) -> bool:
    broker.store.commit(request.changed(action=None, due=None, attempts=0))
    return True


def _closed(
    broker: ExpiryBroker, request: GrantRequest, status: Status, *, reason: str, confirm: bool = False
) -> bool:
    now = broker.clock()
    later = agenda(Action.CONFIRM, now + CONFIRM_AFTER) if confirm else {}
    change = request.to(
        status, at=now, by=BY, event_id=broker.new_id(), detail={"reason": reason},
        ended_at=milliseconds(now), end_reason=reason, grant_token=None, **later,
    )  # fmt: skip
    broker.store.commit(change)
    return True


def _postpone(broker: ExpiryBroker, request_id: str, error: KmsUncertain | KmsRefused) -> None:
    """Back on the agenda, each pause twice as long up to 5 minutes, for ever; told once a cycle."""
    _LOG.error("KMS did not end or find a grant", extra={"request": request_id, "kms": str(error)})
    broker.measure("EndFailures", 1)
    broker.measure(f"EndFailures{reason_of(error.code)}", 1)
    request = broker.store.find_request(request_id)
    if request is None or request.action is None:
        return
    now, attempts = broker.clock(), request.attempts + 1
    pause = timedelta(seconds=min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(request.attempts, 16)))
    later = {**agenda(request.action, now + pause), "attempts": attempts}
    change: Change = request.changed(**later)
    if attempts & (attempts - 1) == 0:
        detail = {"code": error.code, "attempts": attempts}
        change = request.recorded(
            "end_failed", at=now, by=BY, event_id=broker.new_id(), detail=detail, **later
        )
    try:
        broker.store.commit(change)
    except Stale:
        # Another run has moved it on.
        return
