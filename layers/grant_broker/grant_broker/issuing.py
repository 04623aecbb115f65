"""Take an approved request up: intent first, then the grant, then the outcome."""

import logging
from datetime import timedelta
from typing import NoReturn

from grant_broker.broker import Broker
from grant_broker.domain.approvals import Approval
from grant_broker.domain.errors import Conflict, KmsRefused, KmsUncertain, Stale, Unavailable
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.requests import CONFIRM_AFTER, ISSUE_WITHIN, SETTLE_AFTER, GrantRequest, agenda
from grant_broker.domain.times import milliseconds
from grant_broker.domain.trail import ChangeOf

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 3
# A repeat joins in only once the first call cannot still be waiting for KMS (3 s).
_STILL_AT_WORK = timedelta(seconds=4)


def covering(broker: Broker, request: GrantRequest, key: Key) -> Approval | None:
    """The standing approval that covers a request, or None."""
    asked = request.asked(request.starts_at or request.created_at)
    standing = broker.store.standing(key_arn=request.key_arn, account=request.account)
    return next((a for a in standing if a.covers(asked, quorum=key.document.quorum).covered), None)


def take_up(broker: Broker, request: GrantRequest, *, by: str) -> tuple[GrantRequest, bool]:
    """The request with its grant, and whether this call made it.

    A crash before the intent is stored leaves nothing; after it, or with the answer of KMS lost, an
    `issuing` record that `settle` finds on the agenda. Raises Conflict (wrong state, not covered, refused
    by KMS), Unavailable (nobody knows yet; the same call again, or the agenda, finds out).
    """
    if request.status == Status.ACTIVE:
        return request, False
    if request.status == Status.ISSUING:
        return _resumed(broker, request, by), True
    if request.status != Status.APPROVED:
        raise Conflict(f"the request is {request.status}")
    return _issued(broker, _intended(broker, request, by), by), True


def _intended(broker: Broker, request: GrantRequest, by: str) -> GrantRequest:
    now = broker.clock().replace(microsecond=0)
    if request.starts_at and broker.clock() < request.starts_at:
        raise Conflict("the request is approved, and may be taken up from its starts_at on")
    if request.take_up_by and now >= request.take_up_by:
        raise Conflict("the request is approved, but was not taken up in time")
    key, approval = _covered(broker, request)
    expires_at = now + timedelta(seconds=request.duration)
    change = request.to(
        Status.ISSUING, at=broker.clock(), by=by, event_id=broker.new_id(),
        detail={"approval": approval.id, "expires_at": expires_at.isoformat()},
        intent_at=milliseconds(broker.clock()), issued_at=now, expires_at=expires_at,
        **agenda(Action.SETTLE, now + SETTLE_AFTER),
    )  # fmt: skip
    broker.store.commit(change, checks=[approval, key])
    return change.record


def _covered(broker: Broker, request: GrantRequest) -> tuple[Key, Approval]:
    key = broker.store.key(request.key_arn)
    if key is None or not key.open_to(request.account):
        raise Conflict("the request is approved, but its key is not open to the account any more")
    if faults := key.faults(request.scope, duration=request.duration, account=request.account):
        raise Conflict(f"the request is approved, but outside the key's limits now: {faults[0].message}")
    store = broker.store
    approval = store.approval(request.approval) if request.approval else store.votes(request.id)
    asked = request.asked(request.starts_at or request.created_at if request.approval else broker.clock())
    quorum = key.document.quorum
    coverage = approval.covers(asked, quorum=quorum) if approval else None
    if approval is None or coverage is None or not coverage.covered:
        raise Conflict(f"not covered any more: {coverage.reason if coverage else 'there is no approval'}")
    return key, approval


def _resumed(broker: Broker, request: GrantRequest, by: str) -> GrantRequest:
    since = broker.clock() - (request.intent_at or broker.clock())
    if not _STILL_AT_WORK <= since < ISSUE_WITHIN:
        raise _unknown(request)
    return _issued(broker, request, by)


def _issued(broker: Broker, request: GrantRequest, by: str) -> GrantRequest:
    for attempt in range(_ATTEMPTS):
        if attempt:
            broker.sleep(0.2 * 2**attempt)
            request = _still_issuing(broker, request)
        if _too_late(broker, request):
            break
        try:
            grant_id, token = broker.kms.create_grant(
                key_arn=request.key_arn, grantee=request.grantee,
                retiring_principal=broker.settings.retiring_principal, scope=request.scope,
                name=request.grant_name,
            )  # fmt: skip
        except KmsUncertain as error:
            _LOG.warning("CreateGrant has no answer", extra={"request": request.id, "code": error.code})
            broker.measure("IssueFailures", 1)
        except KmsRefused as error:
            _failed(broker, request, error, by)
        else:
            return _active(broker, request, grant_id, token, by)
    raise _unknown(request)


def _too_late(broker: Broker, request: GrantRequest) -> bool:
    return request.intent_at is None or broker.clock() - request.intent_at >= ISSUE_WITHIN


def _still_issuing(broker: Broker, request: GrantRequest) -> GrantRequest:
    now = broker.store.request(request.id)
    if now is None or now.status != Status.ISSUING:
        raise _unknown(request)
    return now


def _active(broker: Broker, request: GrantRequest, grant_id: str, token: str, by: str) -> GrantRequest:
    change = activated(broker, request, grant_id=grant_id, by=by, token=token)
    try:
        broker.store.commit(change)
    except Stale:
        now = broker.store.request(request.id)
        if now is None or now.status != Status.ACTIVE:
            raise _unknown(request) from None
        return now
    broker.measure("GrantsIssued", 1)
    return change.record


def activated(
    broker: Broker, request: GrantRequest, *, grant_id: str, by: str, token: str | None = None
) -> ChangeOf[GrantRequest]:
    """The transition to `active` of a request whose grant was found or made."""
    end = request.expires_at or broker.clock()
    return request.to(
        Status.ACTIVE, at=broker.clock(), by=by, event_id=broker.new_id(),
        detail={"grant_id": grant_id, "name": request.grant_name, "expires_at": end.isoformat()},
        grant_id=grant_id, grant_token=token, **agenda(Action.END, end),
    )  # fmt: skip


def _failed(broker: Broker, request: GrantRequest, error: KmsRefused, by: str) -> NoReturn:
    now = broker.clock()
    broker.measure("IssueFailures", 1)
    change = request.to(
        Status.FAILED, at=now, by=by, event_id=broker.new_id(), detail={"code": error.code},
        ended_at=milliseconds(now), end_reason=f"KMS refused: {error.code}",
        **agenda(Action.CONFIRM, now + CONFIRM_AFTER),
    )  # fmt: skip
    broker.store.commit(change)
    _LOG.error("CreateGrant was refused", extra={"request": request.id, "kms": str(error)})
    raise Conflict(f"the request is failed: KMS refused the grant ({error.code})")


def _unknown(request: GrantRequest) -> Unavailable:
    return Unavailable(
        "the grant is being made; its outcome is not known yet",
        retry_after=5,
        location=f"/requests/{request.id}",
    )
