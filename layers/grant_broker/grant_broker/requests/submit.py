"""Submit a request: within the key's limits, stored, and issued at once where an approval covers it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from grant_broker.broker import Broker
from grant_broker.domain.arns import account_of
from grant_broker.domain.errors import Conflict, Fault, InvalidRequest, Stale
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.people import Caller
from grant_broker.domain.records import ChangeOf
from grant_broker.domain.request import GrantRequest, agenda
from grant_broker.domain.submission import Submission
from grant_broker.domain.times import format_duration, milliseconds
from grant_broker.keys.checks import not_grantable
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.coverage import covering
from grant_broker.requests.preflight import examine
from grant_broker.requests.quotas import count_call, ensure_room
from grant_broker.requests.take_up import take_up

FURTHEST_START = timedelta(days=30)
_ALL_TO_FIND_OUT = "not registered, or not open to your account"


@dataclass(frozen=True)
class Repeatable:
    """What makes a repeated POST the same one: the caller's key for it, and a digest of the body."""

    key: str | None
    body_digest: str

    def id_for(self, broker: Broker, caller: Caller, route: str) -> str:
        """The id of what is created: the same for the same key, caller and route; else a new one."""
        if self.key is None:
            return broker.new_id()
        text = "\n".join((caller.account, caller.unique_id, route, self.key))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def submit(
    broker: RequestsBroker, caller: Caller, submission: Submission, repeat: Repeatable
) -> GrantRequest:
    """The stored request: pending, or active where a standing approval covers it and it starts now.

    A crash after the record was stored leaves it `approved` or `issuing`: the same call again resumes, and
    the agenda settles or lapses it. Raises InvalidRequest (limits), Conflict (the idempotency key was used
    for another body), TooManyRequests (nothing stored; a repeat of what is stored is never refused so),
    Unavailable (stored; the outcome at KMS is not known yet).
    """
    request_id = repeat.id_for(broker, caller, "POST /requests")
    stored = broker.store.find_request(request_id) if repeat.key else None
    request = stored or _stored(broker, caller, submission, repeat, request_id)
    if request.body_digest != repeat.body_digest:
        raise Conflict("this idempotency key was used for another body")
    return _taken_up(broker, caller, request) if request.approval else request


def _taken_up(broker: RequestsBroker, caller: Caller, request: GrantRequest) -> GrantRequest:
    """A request that was covered when it was submitted: its grant too, unless it starts later."""
    if request.begins > request.created_at:
        return request
    if request.status == Status.FAILED:
        raise Conflict(f"the request is failed: {request.end_reason}")
    at_work = request.status in {Status.APPROVED, Status.ISSUING}
    return take_up(broker, request, by=caller.arn)[0] if at_work else request


def _stored(
    broker: RequestsBroker, caller: Caller, submission: Submission, repeat: Repeatable, request_id: str
) -> GrantRequest:
    count_call(broker, caller.account)
    now = milliseconds(broker.clock())
    own = {"id": request_id, "body_digest": repeat.body_digest}
    request, key = prepared(broker, caller, submission, now=now, **own)
    first = _first(broker, request, key, now)
    waits = first.record.status == Status.PENDING
    ensure_room(broker, account=request.account, grantee=request.grantee, waits=waits)
    first = _examined(broker, first)
    try:
        broker.store.commit(first)
    except Stale:
        # The same call, made twice at the same time.
        if (winner := broker.store.find_request(request_id)) is None:
            raise
        return winner
    return first.record


def _examined(broker: RequestsBroker, first: ChangeOf[GrantRequest]) -> ChangeOf[GrantRequest]:
    """The same with what an approver should know. What is granted at once needs no dry run before it."""
    request = first.record
    at_once = request.status == Status.APPROVED and request.begins == request.created_at
    found = examine(broker, request, try_grant=not at_once)
    return ChangeOf(request.model_copy(update={"preflight": found}), first.event)


def prepared(
    broker: RequestsBroker, caller: Caller, submission: Submission, *, now: datetime, **own: str
) -> tuple[GrantRequest, Key]:
    """The request as it would be stored, and its key.

    Raises InvalidRequest outside the key's limits, Conflict where the key's last check failed.
    """
    key = _key(broker, caller, submission)
    faults = _faults(broker, caller, submission, key, now)
    if key is None or faults:
        raise InvalidRequest(*faults)
    if refusal := not_grantable(broker, key.document.key_arn):
        raise Conflict(refusal)
    return _new(broker, caller, submission, key, now=now, **own), key


def _first(broker: RequestsBroker, request: GrantRequest, key: Key, now: datetime) -> ChangeOf[GrantRequest]:
    detail = {
        "requester": request.requester_arn, "grantee": request.grantee, "key": request.key_arn,
        **request.scope.model_dump(mode="json"), "duration": format_duration(request.duration),
        "reason": request.reason, "ticket": request.ticket,
    }  # fmt: skip
    cover = covering(broker, request, key)
    if (approval := cover.approval) is None:
        return request.recorded(
            "submitted", at=now, by=request.requester_arn, event_id=broker.new_id(),
            detail={**detail, "waits": cover.reason},
        )  # fmt: skip
    take_up_by = request.begins + timedelta(seconds=broker.settings.take_up_within)
    return request.recorded(
        "submitted", at=now, by=request.requester_arn, event_id=broker.new_id(),
        detail={**detail, "approval": approval.id}, status=Status.APPROVED, approval=approval.id,
        answer_by=None, take_up_by=take_up_by, **agenda(Action.LAPSE, take_up_by),
    )  # fmt: skip


def _new(
    broker: RequestsBroker, caller: Caller, submission: Submission, key: Key, *, now: datetime, **own: str
) -> GrantRequest:
    answer_by = now + timedelta(seconds=broker.settings.answer_within)
    return GrantRequest(
        **own, status=Status.PENDING, requester_arn=caller.arn, account=caller.account,
        requester_person=broker.person(caller), grantee=submission.grantee, key_arn=key.document.key_arn,
        scope=submission.scope, duration=submission.duration, asked_duration=submission.duration,
        starts_at=submission.starts_at, reason=submission.reason, ticket=submission.ticket,
        created_at=now, answer_by=answer_by, **agenda(Action.LAPSE, answer_by),
    )  # fmt: skip


def _key(broker: RequestsBroker, caller: Caller, submission: Submission) -> Key | None:
    key = broker.store.find_key_named(submission.key)
    return key if key and key.open_to(caller.account) else None


def _faults(
    broker: RequestsBroker, caller: Caller, submission: Submission, key: Key | None, now: datetime
) -> list[Fault]:
    faults = [Fault("key", _ALL_TO_FIND_OUT)]
    if key:
        faults = key.faults(submission.scope, duration=submission.duration, account=caller.account)
    if account_of(submission.grantee) != caller.account:
        faults.append(Fault("grantee", "name a principal of your own account"))
    if submission.duration < broker.settings.smallest_duration:
        smallest = format_duration(broker.settings.smallest_duration)
        faults.append(Fault("duration", f"at least {smallest}"))
    # A clock that runs a minute ahead is no reason to refuse "now".
    earliest, latest = now - timedelta(minutes=1), now + FURTHEST_START
    if submission.starts_at and not earliest <= submission.starts_at <= latest:
        faults.append(Fault("starts_at", "from now to 30 days ahead"))
    return faults
