"""Take an approved request up: intent first, then the grant, then the outcome."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple, NoReturn

from grant_broker.domain.approvals import Approval
from grant_broker.domain.backoff import backoff
from grant_broker.domain.blocks import refuse_blocked
from grant_broker.domain.bookkeeping import confirm_at, made_unwanted
from grant_broker.domain.errors import Conflict, KmsRefused, KmsUncertain, Stale, Unavailable
from grant_broker.domain.failures import reason_of
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.records import Change
from grant_broker.domain.request import ISSUE_WITHIN, GrantRequest, Transition, end_of
from grant_broker.domain.times import format_duration
from grant_broker.domain.transitions import activated, intended, refused
from grant_broker.keys.checks import find_checks
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.coverage import check_standing
from grant_broker.requests.ends import count_ends, ensure_on_time
from grant_broker.requests.tickets import ensure_ticket_stands_still
from grant_broker.retries import apply_to_latest

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 0.4, 0.8  # seconds between attempts
# A repeat joins in only once the first call cannot still be waiting for KMS (3 s).
_STILL_AT_WORK = timedelta(seconds=4)


class Covered(NamedTuple):
    """What a grant rests on: the key's limits and the approval, as they were read.

    The intent is stored only if neither has moved since. Break-glass rests on no approval.
    """

    key: Key
    approval: Approval | None


def take_up(broker: RequestsBroker, request: GrantRequest, *, by: str) -> tuple[GrantRequest, bool]:
    """Make the grant of a request; the request with it, and whether this call made it.

    A crash before the intent is stored leaves nothing;
    after it, or with the answer of KMS lost, an `issuing` record that `settle` finds on the agenda. Raises
    Conflict (wrong state, not covered, refused by KMS), Unavailable (nobody knows yet; the same call again,
    or the agenda, finds out).
    """
    return _settle(broker, request, lambda latest: _take_up(broker, latest, by))


def make_grant(broker: RequestsBroker, intent: GrantRequest, *, by: str) -> tuple[GrantRequest, bool]:
    """Make the grant of an intent that this call has just stored; raises as `take_up` does."""
    fresh = iter([intent])

    def make(latest: GrantRequest) -> tuple[GrantRequest, bool]:
        if own := next(fresh, None):
            return _create_grant(broker, own, by, asked_before=False), True
        # After a lost race it is as it is.
        return _take_up(broker, latest, by)

    return _settle(broker, intent, make)


def _settle(
    broker: RequestsBroker, request: GrantRequest, step: Callable[[GrantRequest], tuple[GrantRequest, bool]]
) -> tuple[GrantRequest, bool]:
    try:
        return apply_to_latest(broker, request, step)
    except Unavailable as error:
        # The request is stored: the caller is told where, whatever did not answer.
        location = f"/requests/{request.id}"
        raise Unavailable(str(error), retry_after=error.retry_after, location=location) from error


def _take_up(broker: RequestsBroker, request: GrantRequest, by: str) -> tuple[GrantRequest, bool]:
    if request.status == Status.ACTIVE:
        return request, False
    if request.status == Status.ISSUING:
        return _resume(broker, request, by), True
    if request.status != Status.APPROVED:
        raise Conflict(f"the request is {request.status}")
    intent = _store_intent(broker, request, by)
    return _create_grant(broker, intent, by, asked_before=False), True


def _store_intent(broker: RequestsBroker, request: GrantRequest, by: str) -> GrantRequest:
    now = broker.clock()
    if request.starts_at and now < request.starts_at:
        raise Conflict("the request is approved, and may be taken up from its starts_at on")
    if request.take_up_by and now >= request.take_up_by:
        raise Conflict("the request is approved, but was not taken up in time")
    ensure_outlasting(broker, request)
    covered = _check_coverage(broker, request)
    ensure_ticket_stands_still(broker, covered.key, request)
    limits = covered.key.document
    ahead = count_ends(broker, limits, request.duration, grantee=request.grantee)
    ensure_on_time(broker, request, limits, covered.approval, ahead)
    return commit_intent(broker, request, by, covered)


def ensure_outlasting(broker: RequestsBroker, request: GrantRequest) -> None:
    """Conflict where an extension, shortened by a vote, would end before the grant that it extends."""
    old = broker.store.find_request(request.extends) if request.extends else None
    if old and old.outlasts(request.duration, broker.clock()):
        raise Conflict(
            f"the request is {request.status}, but its grant would end before the one that it extends: "
            f"take it up when less than {format_duration(request.duration)} is left of that"
        )


def commit_intent(
    broker: RequestsBroker,
    request: GrantRequest,
    by: str,
    rests_on: Covered,
    *,
    after: Transition | None = None,
    besides: Sequence[Change] = (),
) -> GrantRequest:
    """Store the intent, with the transition before it where that is not stored yet; Stale where either moved.

    `besides` are changes of other records. In one transaction, so that no request is stored and not granted
    because its caller went away between.
    """
    smallest = broker.settings.smallest_duration
    margin = rests_on.key.document.margin_of(request.duration, smallest=smallest)
    stamp = broker.stamp(by)
    approval = rests_on.approval
    change = intended(request, stamp, approval.id if approval else None, margin=margin)
    # It was judged a moment ago, and what was judged then may have ended with its window: once more, by what
    # is stored now.
    if approval and not approval.fits(stamp.at, end_of(request.duration, stamp.at)):
        raise Stale("the window in which its approval covers it has passed meanwhile")
    # Whatever a forged or restored record says: nothing covers a second grant under the same id.
    unused = broker.store.uses.unused(request.id)
    # What is blocked before this transaction is not granted after it; what is in flight, the kill switch's
    # second sweep finds.
    unblocked = broker.store.blocks.unblocked(request.selectors, change.record.intent_at or broker.clock())
    changes = [*([after] if after else []), change, *besides]
    checks = [rests_on.key, *([approval] if approval else [])]
    broker.store.commit(*changes, checks=checks, others=[unused, *unblocked])
    return change.record


def _check_coverage(broker: RequestsBroker, request: GrantRequest) -> Covered:
    """Read what a request approved earlier rests on.

    Raises NotPermitted under a block, Conflict where it covers the request no longer.
    """
    store = broker.store
    refuse_blocked(store.blocks.find_matching(request.selectors), broker.clock())
    if store.uses.find(request.id):
        raise Conflict("the request is approved, but not covered any more: it had its grant, which has ended")
    key = store.find_key(request.key_arn)
    if key is None or not key.open_for(request.requester_arn, request.account):
        raise Conflict("the request is approved, but its key is not open to its requester any more")
    if faults := key.faults(request.scope, duration=request.duration, account=request.account):
        raise Conflict(f"the request is approved, but outside the key's limits now: {faults[0].message}")
    if refusal := find_checks(store, request.key_arn).refusal:
        raise Conflict(f"the request is approved, but {refusal}")
    approval = store.find_approval(request.approval) if request.approval else store.find_votes(request.id)
    quorum = broker.settings.quorum(key.document)
    if approval is None:
        raise Conflict("the request is approved, but not covered any more: there is no approval")
    # A standing approval is to hold for the submission, or its starts_at, and for the grant.
    for moment in (*([request.begins] if request.approval else []), broker.clock()):
        coverage = approval.covers(request.asked(moment), quorum=quorum)
        if not coverage.covered:
            raise Conflict(f"the request is approved, but not covered any more: {coverage.reason}")
    if request.approval:
        kept = check_standing(broker, request, key, at=broker.clock())
        if not kept.covered:
            raise Conflict(f"the request is approved, but people must vote on a new one: {kept.reason}")
    return Covered(key, approval)


def _resume(broker: RequestsBroker, request: GrantRequest, by: str) -> GrantRequest:
    since = broker.clock() - (request.intent_at or broker.clock())
    if not _STILL_AT_WORK <= since < ISSUE_WITHIN:
        raise _unknown()
    return _create_grant(broker, request, by, asked_before=True)


def _create_grant(
    broker: RequestsBroker, request: GrantRequest, by: str, *, asked_before: bool
) -> GrantRequest:
    """Ask KMS for the grant, up to three times while the intent is fresh, and store the outcome.

    Each repeat sends the same parameters and Name, so KMS answers with the same grant (CreateGrant), and
    looks at the record first: what was ended meanwhile gets no grant any more. `asked_before`: an earlier
    CreateGrant may have had its effect, so a refusal is not the outcome.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            broker.sleep(backoff(attempt - 1, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE))
            _ensure_unmoved(broker, request)
        if _too_late(broker, request):
            break
        try:
            grant_id, grant_token = broker.issuer.create_grant(
                key_arn=request.key_arn,
                grantee=request.grantee,
                retiring_principal=broker.settings.retiring_principal,
                scope=request.scope,
                name=request.grant_name,
            )
        except KmsUncertain as error:
            _LOG.warning("CreateGrant has no answer", extra={"request": request.id, "code": error.code})
            _count(broker, error)
        except KmsRefused as error:
            _store_refusal(broker, request, error, by, asked_before=asked_before or attempt > 0)
        else:
            return _store_grant(broker, request, grant_id, grant_token, by)
    raise _unknown()


def _too_late(broker: RequestsBroker, request: GrantRequest) -> bool:
    now = broker.clock()
    until = request.ends_at or now
    return request.intent_at is None or now >= min(request.intent_at + ISSUE_WITHIN, until)


def _ensure_unmoved(broker: RequestsBroker, request: GrantRequest) -> None:
    latest = broker.store.find_request(request.id)
    if latest is None or latest.version != request.version:
        raise Stale("the request was settled or ended meanwhile")


def _store_grant(
    broker: RequestsBroker, request: GrantRequest, grant_id: str, grant_token: str, by: str
) -> GrantRequest:
    change = activated(request, broker.stamp(by), grant_id=grant_id, grant_token=grant_token)
    try:
        broker.store.commit(change)
    except Stale:
        _note_unwanted(broker, request, grant_id)
        raise
    broker.measure("GrantsIssued", 1)
    return change.record


def _note_unwanted(broker: RequestsBroker, request: GrantRequest, grant_id: str) -> None:
    """Have `expiry` end a grant now whose request was ended or closed while KMS made it."""
    latest, now = broker.store.find_request(request.id), broker.clock()
    if latest is None or latest.grant_id == grant_id:
        return
    if latest.status == Status.ENDING:
        change = made_unwanted(latest, grant_id, now)
    elif latest.status.final:
        change = confirm_at(latest, now)
    else:
        return
    try:
        broker.store.commit(change)
    except Stale:
        # It has moved on again; its name leads `confirm` and `reconcile` to it.
        return


def _store_refusal(
    broker: RequestsBroker, request: GrantRequest, error: KmsRefused, by: str, *, asked_before: bool
) -> NoReturn:
    _LOG.error("CreateGrant was refused", extra={"request": request.id, "kms": str(error)})
    _count(broker, error)
    if asked_before:
        raise _unknown()
    broker.store.commit(refused(request, broker.stamp(by), error.code))
    raise Conflict(f"the request is failed: KMS refused the grant ({error.code})")


def _count(broker: RequestsBroker, error: KmsRefused | KmsUncertain) -> None:
    broker.measure("IssueFailures", 1)
    broker.measure(f"IssueFailures{reason_of(error.code)}", 1)


def _unknown() -> Unavailable:
    return Unavailable("the request is issuing: the grant is being made, its outcome is not known yet")
