"""What a submission would be answered, without storing anything."""

from grant_broker.domain.approvals import Approval
from grant_broker.domain.errors import Conflict, InvalidRequest, NotPermitted
from grant_broker.domain.keys import Key
from grant_broker.domain.people import Caller
from grant_broker.domain.preflight import Forecast, Known, Outcome, Preflight
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.submission import Submission
from grant_broker.domain.times import format_time
from grant_broker.domain.warnings import obstacles
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.preflight import examine, refused_for_certain
from grant_broker.requests.quotas import find_refusal
from grant_broker.requests.reads import begin_reads
from grant_broker.requests.submit import Draft, assess

_NO_ID = "0" * 32


def dry_run(broker: RequestsBroker, caller: Caller, submission: Submission) -> Forecast:
    """Find out what submitting this now would lead to.

    It counts as a call of the account: TooManyRequests above the minute's limit.
    """
    reads = begin_reads(broker, caller, submission, stored=0)
    try:
        found = assess(broker, caller, submission, reads, Draft(_NO_ID))
    except InvalidRequest as error:
        return Forecast("refuse", tuple(f"{fault.field}: {fault.message}" for fault in error.faults))
    except (Conflict, NotPermitted) as error:
        return Forecast("refuse", (str(error),))
    request, approval = found.request, found.cover.approval
    waits = approval is None
    if refusal := find_refusal(broker, reads.open.result(), grantee=request.grantee, waits=waits):
        return Forecast("refuse", (refusal.reason,))
    preflight = examine(broker, request, found.checks, found.policy)
    reasons = _covered_by(request, approval) if approval else (_who_votes(found.key, found.cover.reason),)
    outcome = _outcome(preflight, waits=waits)
    return Forecast(outcome, (*reasons, *obstacles(preflight)))


def _outcome(found: Preflight, *, waits: bool) -> Outcome:
    """Refuse what KMS would refuse now. A key or a right may be mended while people decide, so that can wait.

    A grantee that does not exist waits for nobody: whoever asked has the wrong name, or has to create it.
    """
    if found.grantee_accepted.answer == Known.NO or (not waits and refused_for_certain(found)):
        return "refuse"
    return "wait_for_approval" if waits else "grant"


def _covered_by(request: GrantRequest, approval: Approval) -> tuple[str, ...]:
    covered = f"standing approval {approval.id} covers it"
    if request.begins > request.created_at:
        return covered, f"it may be taken up from {format_time(request.begins)} on"
    return (covered,)


def _who_votes(key: Key, reason: str) -> str:
    quorum = key.document.quorum
    people = "one person" if quorum == 1 else f"{quorum} persons"
    return f"{reason}: {people} must approve"
