"""Take an approved request up: intent first, then the grant, then the outcome."""

import logging
from datetime import timedelta
from typing import NoReturn

from grant_broker.broker import Broker
from grant_broker.domain.approvals import Approval
from grant_broker.domain.errors import Conflict, KmsRefused, KmsUncertain, Stale, Unavailable
from grant_broker.domain.failures import reason_of
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.records import ChangeOf
from grant_broker.domain.request import CONFIRM_AFTER, ISSUE_WITHIN, SETTLE_AFTER, GrantRequest, agenda
from grant_broker.domain.times import milliseconds
from grant_broker.keys.checks import not_grantable
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.coverage import continuity_of
from grant_broker.retries import on_latest

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 3
# A repeat joins in only once the first call cannot still be waiting for KMS (3 s).
_STILL_AT_WORK = timedelta(seconds=4)


def take_up(broker: RequestsBroker, request: GrantRequest, *, by: str) -> tuple[GrantRequest, bool]:
    """The request with its grant, and whether this call made it.

    A crash before the intent is stored leaves nothing; after it, or with the answer of KMS lost, an
    `issuing` record that `settle` finds on the agenda. Raises Conflict (wrong state, not covered, refused
    by KMS), Unavailable (nobody knows yet; the same call again, or the agenda, finds out).
    """
    try:
        return on_latest(broker, request, lambda latest: _taken_up(broker, latest, by))
    except Unavailable as error:
        # The request is stored: the caller is told where, whatever did not answer.
        location = f"/requests/{request.id}"
        raise Unavailable(str(error), retry_after=error.retry_after, location=location) from error


def _taken_up(broker: RequestsBroker, request: GrantRequest, by: str) -> tuple[GrantRequest, bool]:
    if request.status == Status.ACTIVE:
        return request, False
    if request.status == Status.ISSUING:
        return _resumed(broker, request, by), True
    if request.status != Status.APPROVED:
        raise Conflict(f"the request is {request.status}")
    return _issued(broker, _intended(broker, request, by), by, asked_before=False), True


def _intended(broker: RequestsBroker, request: GrantRequest, by: str) -> GrantRequest:
    now = broker.clock()
    if request.starts_at and now < request.starts_at:
        raise Conflict("the request is approved, and may be taken up from its starts_at on")
    if request.take_up_by and now >= request.take_up_by:
        raise Conflict("the request is approved, but was not taken up in time")
    key, approval = _covered(broker, request)
    # Whole seconds, as the grant's name holds them, and never longer than approved.
    issued_at = now.replace(microsecond=0)
    expires_at = issued_at + timedelta(seconds=request.duration)
    change = request.to(
        Status.ISSUING, at=now, by=by, event_id=broker.new_id(),
        detail={"approval": approval.id, "expires_at": expires_at.isoformat()},
        intent_at=milliseconds(now), issued_at=issued_at, expires_at=expires_at,
        **agenda(Action.SETTLE, min(now + SETTLE_AFTER, expires_at)),
    )  # fmt: skip
    broker.store.commit(change, checks=[approval, key])
    return change.record


def _covered(broker: RequestsBroker, request: GrantRequest) -> tuple[Key, Approval]:
    key = broker.store.find_key(request.key_arn)
    if key is None or not key.open_to(request.account):
        raise Conflict("the request is approved, but its key is not open to the account any more")
    if faults := key.faults(request.scope, duration=request.duration, account=request.account):
        raise Conflict(f"the request is approved, but outside the key's limits now: {faults[0].message}")
    if refusal := not_grantable(broker, request.key_arn):
        raise Conflict(f"the request is approved, but {refusal}")
    store = broker.store
    approval = store.find_approval(request.approval) if request.approval else store.find_votes(request.id)
    asked = request.asked(request.begins if request.approval else broker.clock())
    coverage = approval.covers(asked, quorum=key.document.quorum) if approval else None
    if approval is None or coverage is None or not coverage.covered:
        reason = coverage.reason if coverage else "there is no approval"
        raise Conflict(f"the request is approved, but not covered any more: {reason}")
    if request.approval:
        kept = continuity_of(broker, request, key, at=broker.clock())
        if not kept.covered:
            raise Conflict(f"the request is approved, but people must vote on a new one: {kept.reason}")
    return key, approval


def _resumed(broker: RequestsBroker, request: GrantRequest, by: str) -> GrantRequest:
    since = broker.clock() - (request.intent_at or broker.clock())
    if not _STILL_AT_WORK <= since < ISSUE_WITHIN:
        raise _unknown()
    return _issued(broker, request, by, asked_before=True)


def _issued(broker: RequestsBroker, request: GrantRequest, by: str, *, asked_before: bool) -> GrantRequest:
    """`asked_before`: an earlier CreateGrant may have had its effect, so a refusal is not the outcome."""
    for attempt in range(_ATTEMPTS):
        if attempt:
            broker.sleep(0.2 * 2**attempt)
            _ensure_unmoved(broker, request)
        if _too_late(broker, request):
            break
        try:
            grant_id, token = broker.issuer.create_grant(
                key_arn=request.key_arn, grantee=request.grantee,
                retiring_principal=broker.settings.retiring_principal, scope=request.scope,
                name=request.grant_name,
            )  # fmt: skip
        except KmsUncertain as error:
            _LOG.warning("CreateGrant has no answer", extra={"request": request.id, "code": error.code})
            _count(broker, error)
        except KmsRefused as error:
            _refused(broker, request, error, by, asked_before=asked_before or attempt > 0)
        else:
            return _active(broker, request, grant_id, token, by)
    raise _unknown()


def _too_late(broker: RequestsBroker, request: GrantRequest) -> bool:
    now = broker.clock()
    until = request.expires_at or now
    return request.intent_at is None or now >= min(request.intent_at + ISSUE_WITHIN, until)


def _ensure_unmoved(broker: RequestsBroker, request: GrantRequest) -> None:
    latest = broker.store.find_request(request.id)
    if latest is None or latest.version != request.version:
        raise Stale("the request was settled or ended meanwhile")


def _active(
    broker: RequestsBroker, request: GrantRequest, grant_id: str, token: str, by: str
) -> GrantRequest:
    change = activated(broker, request, grant_id=grant_id, by=by, token=token)
    try:
        broker.store.commit(change)
    except Stale:
        _note_unwanted(broker, request, grant_id)
        raise
    broker.measure("GrantsIssued", 1)
    return change.record


def _note_unwanted(broker: RequestsBroker, request: GrantRequest, grant_id: str) -> None:
    """The request was ended or closed while KMS made its grant: `expiry` ends it now, not minutes later."""
    latest, now = broker.store.find_request(request.id), broker.clock()
    if latest is None or latest.grant_id == grant_id:
        return
    if latest.status == Status.ENDING:
        change = latest.changed(grant_id=latest.grant_id or grant_id, **agenda(Action.END, now))
    elif latest.status.final:
        change = latest.changed(**agenda(Action.CONFIRM, now))
    else:
        return
    try:
        broker.store.commit(change)
    except Stale:
        # It has moved on again; its name leads `confirm` and `reconcile` to it.
        return


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


def _refused(
    broker: RequestsBroker, request: GrantRequest, error: KmsRefused, by: str, *, asked_before: bool
) -> NoReturn:
    _LOG.error("CreateGrant was refused", extra={"request": request.id, "kms": str(error)})
    _count(broker, error)
    if asked_before:
        raise _unknown()
    now = broker.clock()
    change = request.to(
        Status.FAILED, at=now, by=by, event_id=broker.new_id(), detail={"code": error.code},
        ended_at=milliseconds(now), end_reason=f"KMS refused: {error.code}",
        **agenda(Action.CONFIRM, now + CONFIRM_AFTER),
    )  # fmt: skip
    broker.store.commit(change)
    raise Conflict(f"the request is failed: KMS refused the grant ({error.code})")


def _count(broker: RequestsBroker, error: KmsRefused | KmsUncertain) -> None:
    broker.measure("IssueFailures", 1)
    broker.measure(f"IssueFailures{reason_of(error.code)}", 1)


def _unknown() -> Unavailable:
    return Unavailable("the request is issuing: the grant is being made, its outcome is not known yet")
