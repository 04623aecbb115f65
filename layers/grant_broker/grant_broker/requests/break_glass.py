"""Break-glass: in an emergency a named principal is granted a pending request without an approval."""

from grant_broker.domain.blocks import refuse_blocked
from grant_broker.domain.break_glass import BrokenGlass, Emergency, day_of
from grant_broker.domain.errors import Conflict, NotPermitted
from grant_broker.domain.idempotency import Idempotency
from grant_broker.domain.key_document import BreakGlass
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.people import Caller
from grant_broker.domain.records import Stamp
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.reviews import owed_for
from grant_broker.domain.times import format_duration
from grant_broker.domain.transitions import glass_broken
from grant_broker.keys.checks import find_checks
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.take_up import Covered, commit_intent, ensure_outlasting, make_grant, take_up
from grant_broker.requests.withdraw import get_own_request
from grant_broker.retries import apply_to_latest


def break_glass(
    broker: RequestsBroker, caller: Caller, request_id: str, asked: Emergency, idempotency: Idempotency
) -> GrantRequest:
    """Make the grant of a pending request now, for the shorter of its duration and the key's for break-glass.

    Its intent, the count of the day and the review that is owed are stored in one transaction. The same call
    again goes on with what it has stored. Raises NotFound; NotPermitted for whom the key does not name, and
    under a block; Conflict where it is not pending, where the key's limits or its checks stand against it,
    and where the day's are used up; Unavailable.
    """
    request = get_own_request(broker, caller, request_id)
    glass = request.broken_glass
    if glass and idempotency.mark and glass.idempotency == idempotency.mark:
        over = request.status.granted or request.status.final
        return request if over else take_up(broker, request, by=caller.arn)[0]

    def store_intent(latest: GrantRequest) -> GrantRequest:
        stamp = broker.stamp(caller.arn)
        by = BrokenGlass(
            by=caller.arn,
            person=broker.person(caller),
            reason=asked.reason,
            at=stamp.at,
            idempotency=idempotency.mark,
        )
        return _store_intent(broker, caller, latest, by, stamp)

    intent = apply_to_latest(broker, request, store_intent)
    broker.measure("BreakGlass", 1)
    return make_grant(broker, intent, by=caller.arn)[0]


def _store_intent(
    broker: RequestsBroker, caller: Caller, request: GrantRequest, glass: BrokenGlass, stamp: Stamp
) -> GrantRequest:
    key = broker.store.get_key(request.key_arn)
    rules = _get_rules(key, caller, request)
    refuse_blocked(broker.store.blocks.find_matching(request.selectors), stamp.at)
    _ensure_waiting(broker, request)
    duration = min(request.shortest, rules.max_duration)
    _ensure_grantable(broker, request, key, duration)
    broken = glass_broken(request, stamp, glass, duration=duration)
    ensure_outlasting(broker, request.model_copy(update={"duration": duration}))
    day = broker.store.glass.get_day(request.key_arn, day_of(glass.at))
    counted = day.taken(request.id, per_day=rules.per_day)
    besides = [counted, owed_for(broken.record).recorded()]
    rests_on = Covered(key, approval=None)
    return commit_intent(broker, broken.record, caller.arn, rests_on, after=broken, besides=besides)


def _get_rules(key: Key, caller: Caller, request: GrantRequest) -> BreakGlass:
    """Get the key's break-glass; NotPermitted unless it names the caller, and the grantee.

    `reconcile` judges the grant by its grantee: of whoever called KMS knows nothing.
    """
    rules = key.document.break_glass
    if rules is None or not rules.names(caller.arn):
        raise NotPermitted(
            "break-glass on this key is for the principals that its limits name: ask the security team"
        )
    if not rules.names(request.grantee):
        raise NotPermitted("break-glass on this key does not name the grantee: ask the security team")
    return rules


def _ensure_waiting(broker: RequestsBroker, request: GrantRequest) -> None:
    now = broker.clock()
    if request.status != Status.PENDING:
        raise Conflict(f"the request is {request.status}: break-glass is for pending ones")
    if request.answer_by and now >= request.answer_by:
        raise Conflict("the request is pending, past its answer_by: submit another")
    if request.begins > now:
        raise Conflict("the request is pending, and is to begin later: submit one that begins now")


def _ensure_grantable(broker: RequestsBroker, request: GrantRequest, key: Key, duration: int) -> None:
    if broker.store.uses.find(request.id):
        raise Conflict("the request is pending, but it had its grant, which has ended: submit another")
    if not key.open_for(request.requester_arn, request.account):
        raise Conflict("the request is pending, but its key is not open to its requester any more")
    if faults := key.faults(request.scope, duration=duration, account=request.account):
        raise Conflict(f"the request is pending, but outside the key's limits now: {faults[0].message}")
    if duration < (smallest := broker.settings.smallest_duration):
        raise Conflict(f"break-glass would last less than the smallest duration, {format_duration(smallest)}")
    if refusal := find_checks(broker.store, request.key_arn).refusal:
        raise Conflict(f"the request is pending, but {refusal}")
