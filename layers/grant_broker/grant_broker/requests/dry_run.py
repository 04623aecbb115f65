"""What a submission would be answered, without storing anything."""

from typing import Literal

from grant_broker.domain.approvals import Approval
from grant_broker.domain.errors import Conflict, InvalidRequest, NotPermitted
from grant_broker.domain.keys import Key
from grant_broker.domain.people import Caller
from grant_broker.domain.preflight import Forecast
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.submission import Submission
from grant_broker.domain.times import format_time
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.preflight import examine, refused_for_certain, warnings
from grant_broker.requests.quotas import count_call, find_refusal
from grant_broker.requests.submit import assess

_NO_ID = "0" * 32


def dry_run(broker: RequestsBroker, caller: Caller, submission: Submission) -> Forecast:
    """Find out what submitting this now would lead to.

    It counts as a call of the account: TooManyRequests above the minute's limit.
    """
    count_call(broker, caller.account)
    try:
        found = assess(broker, caller, submission, request_id=_NO_ID, body_digest="")
    except InvalidRequest as error:
        return Forecast("refuse", tuple(f"{fault.field}: {fault.message}" for fault in error.faults))
    except (Conflict, NotPermitted) as error:
        return Forecast("refuse", (str(error),))
    request, approval = found.request, found.cover.approval
    waits = approval is None
    if refusal := find_refusal(broker, account=request.account, grantee=request.grantee, waits=waits):
        return Forecast("refuse", (refusal.reason,))
    preflight = examine(broker, request, found.checks)
    if approval is None:
        reasons = (_who_votes(found.key, found.cover.reason), *warnings(preflight))
        return Forecast("wait_for_approval", reasons)
    # A grant at once that KMS would refuse is refused.
    outcome: Literal["grant", "refuse"] = "refuse" if refused_for_certain(preflight) else "grant"
    return Forecast(outcome, (*_covered_by(request, approval), *warnings(preflight)))


def _covered_by(request: GrantRequest, approval: Approval) -> tuple[str, ...]:
    covered = f"standing approval {approval.id} covers it"
    if request.begins > request.created_at:
        return covered, f"it may be taken up from {format_time(request.begins)} on"
    return (covered,)


def _who_votes(key: Key, reason: str) -> str:
    quorum = key.document.quorum
    people = "one person" if quorum == 1 else f"{quorum} persons"
    return f"{reason}: {people} must approve"
