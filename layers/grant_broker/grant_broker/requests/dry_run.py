"""What a submission would be answered, without storing anything."""

from dataclasses import dataclass
from typing import Literal

from grant_broker.domain.approvals import Approval
from grant_broker.domain.errors import Conflict, InvalidRequest, NotPermitted
from grant_broker.domain.keys import Key
from grant_broker.domain.people import Caller
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.submission import Submission
from grant_broker.domain.times import format_time, milliseconds
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.coverage import covering
from grant_broker.requests.preflight import examine, hopeless, warnings
from grant_broker.requests.quotas import count_call, full
from grant_broker.requests.submit import prepared

_NO_ID = "0" * 32


@dataclass(frozen=True)
class Foreseen:
    """What would happen, and why."""

    outcome: Literal["grant", "wait_for_approval", "refuse"]
    reasons: tuple[str, ...]


def foresee(broker: RequestsBroker, caller: Caller, submission: Submission) -> Foreseen:
    """What submitting this now would lead to.

    It counts as a call of the account: TooManyRequests above the minute's limit.
    """
    count_call(broker, caller.account)
    now = milliseconds(broker.clock())
    try:
        request, key = prepared(broker, caller, submission, now=now, id=_NO_ID, body_digest="")
    except InvalidRequest as error:
        return _refused(*(f"{fault.field}: {fault.message}" for fault in error.faults))
    except (Conflict, NotPermitted) as error:
        return _refused(str(error))
    cover = covering(broker, request, key)
    approval = cover.approval
    if no_room := full(broker, account=request.account, grantee=request.grantee, waits=approval is None):
        return _refused(no_room.reason)
    return _examined(broker, request, _granted(request, approval) if approval else _waits(key, cover.reason))


def _examined(broker: RequestsBroker, request: GrantRequest, foreseen: Foreseen) -> Foreseen:
    """The same with what KMS says to it. A grant at once that KMS would refuse is refused."""
    found = examine(broker, request)
    reasons = (*foreseen.reasons, *warnings(found))
    return Foreseen(
        "refuse" if foreseen.outcome == "grant" and hopeless(found) else foreseen.outcome, reasons
    )


def _refused(*reasons: str) -> Foreseen:
    return Foreseen("refuse", reasons)


def _granted(request: GrantRequest, approval: Approval) -> Foreseen:
    reasons = [f"standing approval {approval.id} covers it"]
    if request.begins > request.created_at:
        reasons.append(f"it may be taken up from {format_time(request.begins)} on")
    return Foreseen("grant", tuple(reasons))


def _waits(key: Key, reason: str) -> Foreseen:
    quorum = key.document.quorum
    people = "one person" if quorum == 1 else f"{quorum} persons"
    return Foreseen("wait_for_approval", (f"{reason}: {people} must approve",))
