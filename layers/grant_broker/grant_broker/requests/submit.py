"""Submit a request: within the key's limits, stored, and granted at once where an approval covers it."""

import logging
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import NamedTuple

from grant_broker.domain.arns import account_of
from grant_broker.domain.blocks import refuse_blocked
from grant_broker.domain.checks import KeyChecks
from grant_broker.domain.errors import Conflict, Fault, InvalidRequest, Stale
from grant_broker.domain.idempotency import Idempotency, ensure_same_body
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.people import Caller
from grant_broker.domain.preflight import Preflight
from grant_broker.domain.request import GrantRequest, Transition, at_latest
from grant_broker.domain.submission import Submission
from grant_broker.domain.times import format_duration, milliseconds
from grant_broker.domain.tombstones import Tombstone
from grant_broker.domain.transitions import submitted, submitted_as_covered
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.coverage import Cover, find_cover
from grant_broker.requests.ends import ensure_on_time
from grant_broker.requests.preflight import examine
from grant_broker.requests.quotas import ensure_room
from grant_broker.requests.reads import Reads, begin_reads
from grant_broker.requests.take_up import Covered, commit_intent, make_grant, take_up
from grant_broker.requests.tickets import ensure_ticket_stands_on_submission

_LOG = logging.getLogger(__name__)
FURTHEST_START = timedelta(days=30)


class Draft(NamedTuple):
    """Of a request that may be stored: its id, the digest of its body, and the request that it extends."""

    id: str
    body_digest: str = ""
    extends: GrantRequest | None = None


class Assessment(NamedTuple):
    """What a submission comes to before anything is stored, and all that was read to find out."""

    request: GrantRequest
    key: Key
    checks: KeyChecks
    cover: Cover
    policy: Future[str]

    @property
    def at_once(self) -> bool:
        """Whether it is to be granted now: covered, with no later start."""
        return self.cover.approval is not None and self.request.begins == self.request.created_at


def submit(
    broker: RequestsBroker, caller: Caller, submission: Submission, idempotency: Idempotency
) -> GrantRequest:
    """Store a request; raises as `submit_draft` does. The same call again finds what it stored."""
    person = broker.person(caller)
    request_id = idempotency.id_for(
        account=caller.account, person=person, route="POST /requests", new_id=broker.new_id()
    )
    if repeated := repeat(broker, caller, request_id, idempotency):
        return repeated
    return submit_draft(broker, caller, submission, Draft(request_id, idempotency.body_digest))


def repeat(
    broker: RequestsBroker, caller: Caller, request_id: str, idempotency: Idempotency
) -> GrantRequest | None:
    """Go on with what an earlier call of the same idempotency key has stored; None where it is the first."""
    stored = broker.store.look_up_request(request_id) if idempotency.key else None
    if isinstance(stored, Tombstone):
        raise Conflict(
            f"this idempotency key belongs to a request that was {stored.about.status} and is in the archive "
            "by now: send another key for a new request"
        )
    return _go_on(broker, caller, stored, idempotency.body_digest) if stored else None


def submit_draft(
    broker: RequestsBroker, caller: Caller, submission: Submission, draft: Draft
) -> GrantRequest:
    """Store a request: pending, or active where a standing approval covers it and it starts now.

    A crash after the record was stored leaves it `approved` or `issuing`: the same call again resumes, and
    the agenda settles or lapses it. Raises InvalidRequest (limits), Conflict (the idempotency key was used
    for another body), TooManyRequests (nothing stored; a repeat of what is stored is never refused so),
    Unavailable (stored; the outcome at KMS is not known yet).
    """
    reads = begin_reads(broker, caller, submission, stored=submission.stored_size)
    found = assess(broker, caller, submission, reads, draft)
    waits = found.cover.approval is None
    ensure_room(broker, reads.open.result(), grantee=submission.grantee, waits=waits)
    preflight = examine(broker, found.request, found.checks, found.policy, try_grant=not found.at_once)
    first = _first_change(broker, found, preflight)
    if found.cover.approval and found.at_once:
        covered = Covered(found.key, found.cover.approval)
        try:
            intent = commit_intent(broker, first.record, caller.arn, covered, after=first)
        except Stale:
            # Made twice at the same time, or what it rests on has moved: one step after the other, then.
            _LOG.info("not granted in one step", extra={"request": draft.id})
            refuse_blocked(broker.store.blocks.find_matching(found.request.selectors), broker.clock())
        else:
            return make_grant(broker, intent, by=caller.arn)[0]
    try:
        broker.store.commit(first)
    except Stale:
        # The same call, made twice at the same time.
        if winner := broker.store.find_request(draft.id):
            return _go_on(broker, caller, winner, draft.body_digest)
        raise
    return take_up(broker, first.record, by=caller.arn)[0] if found.at_once else first.record


def assess(
    broker: RequestsBroker, caller: Caller, submission: Submission, reads: Reads, draft: Draft
) -> Assessment:
    """Find out what a submission comes to: the request as it would be stored, and whether it is covered.

    Raises TooManyRequests where the account calls too often, InvalidRequest outside the key's limits,
    NotPermitted under a block, Conflict where the key's last check failed, EndsCrowded where it would be
    granted at once and end late, Unavailable where its ticket cannot be checked.
    """
    now = milliseconds(broker.clock())
    reads.open.result()
    known = reads.of_key
    faults = _faults(broker, caller, submission, known.key if known else None, now)
    if draft.extends and draft.extends.outlasts(submission.duration, now):
        faults.append(Fault("duration", "give more: it must end after the grant that it extends"))
    if known is None or faults:
        raise InvalidRequest(*faults)
    refuse_blocked(known.blocks.result(), now)
    key, checks = known.key, known.checks.result()
    if checks.refusal:
        raise Conflict(checks.refusal)
    answer_by = now + timedelta(seconds=broker.settings.answer_within)
    request = GrantRequest(
        id=draft.id,
        status=Status.PENDING,
        requester_arn=caller.arn,
        account=caller.account,
        requester_person=broker.person(caller),
        grantee=submission.grantee,
        key_arn=key.document.key_arn,
        scope=submission.scope,
        duration=submission.duration,
        asked_duration=submission.duration,
        starts_at=submission.starts_at,
        reason=submission.reason,
        ticket=submission.ticket,
        extends=draft.extends.id if draft.extends else None,
        created_at=now,
        answer_by=answer_by,
        body_digest=draft.body_digest,
        action=Action.LAPSE,
        due=at_latest(answer_by),
    )
    ensure_ticket_stands_on_submission(broker, key, request)
    approvals = known.approvals.result()
    account = known.account.result()
    cover = find_cover(broker, request, key, account=account, approvals=approvals, held=known.held.result)
    found = Assessment(request, key, checks, cover, known.policy)
    if cover.approval and found.at_once:
        ensure_on_time(broker, request, key.document, cover.approval, known.ends.result())
    return found


def _first_change(broker: RequestsBroker, found: Assessment, preflight: Preflight) -> Transition:
    request, stamp = found.request, broker.stamp(found.request.requester_arn)
    if found.cover.approval is None:
        return submitted(request, stamp, preflight, waits=found.cover.reason)
    take_up_by = request.begins + timedelta(seconds=broker.settings.take_up_within)
    # A grant is covered by what holds when it is made.
    take_up_by = min(take_up_by, found.cover.approval.valid_until or take_up_by)
    return submitted_as_covered(
        request,
        stamp,
        preflight,
        approval_id=found.cover.approval.id,
        take_up_by=take_up_by,
        notify=found.key.document.notify,
    )


def _go_on(broker: RequestsBroker, caller: Caller, stored: GrantRequest, body_digest: str) -> GrantRequest:
    ensure_same_body(stored.body_digest, body_digest)
    if stored.approval is None or stored.begins > stored.created_at:
        return stored
    if stored.status == Status.FAILED:
        raise Conflict(f"the request is failed: {stored.end_reason}")
    over = stored.status.granted or stored.status.final
    return stored if over else take_up(broker, stored, by=caller.arn)[0]


def _faults(
    broker: RequestsBroker, caller: Caller, submission: Submission, key: Key | None, now: datetime
) -> list[Fault]:
    faults = [Fault("key", "not registered, or not open to your account")]
    if key:
        faults = key.faults(submission.scope, duration=submission.duration, account=caller.account)
    if account_of(submission.grantee) != caller.account:
        faults.append(Fault("grantee", "name a principal of your own account"))
    faults += broker.settings.grantee_faults(submission.grantee)
    if submission.duration < broker.settings.smallest_duration:
        smallest = format_duration(broker.settings.smallest_duration)
        faults.append(Fault("duration", f"at least {smallest}"))
    # A clock that runs a minute ahead is no reason to refuse "now".
    earliest, latest = now - timedelta(minutes=1), now + FURTHEST_START
    if submission.starts_at and not earliest <= submission.starts_at <= latest:
        faults.append(Fault("starts_at", "from now to 30 days ahead"))
    return faults
