"""Whether a grant could be ended on time: what falls due around its end, counted on the agenda.

There are no counters. The agenda's index is the count: nothing that a crash leaves behind, a hot item, or a
number that only grows. Its lag, usually under a second, lets a second's calls go over by as many as they are.
"""

import math
from collections.abc import Sequence

from grant_broker.aws.agenda import Around
from grant_broker.domain.approvals import Approval, ApprovalKind
from grant_broker.domain.arns import region_of
from grant_broker.domain.ends_ahead import NEAR, ON_TIME, STRETCH, EndsAhead
from grant_broker.domain.errors import EndsCrowded
from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.place import EndsPlace
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.times import format_duration, format_time, from_epoch
from grant_broker.requests.broker import RequestsBroker


def count_ends(
    broker: RequestsBroker, key: KeyDocument, duration: int, *, grantee: str, within: int = STRETCH
) -> EndsAhead:
    """Count what falls due so many seconds around the end of a grant that is made now; `grantee` samples.

    In the key's Region: each has a rate of its own.
    """
    end, agenda = _end_of(broker, key, duration), broker.store.agenda
    rate, regions = broker.settings.end_rate / agenda.shards, len(broker.settings.regions)
    # More than this are more than the whole stretch takes, wherever in it they are.
    most = math.ceil((2 * within + 1 + ON_TIME) * rate) + 1
    around = Around(region_of(key.key_arn), end - within, end + within)
    counted = agenda.count_ends(around, most=most, regions=regions, sample=grantee)
    return EndsAhead(counted.dues, rate, counted.complete)


def ensure_on_time(
    broker: RequestsBroker,
    request: GrantRequest,
    key: KeyDocument,
    approval: Approval | None,
    ahead: EndsAhead,
) -> None:
    """EndsCrowded where a grant made now would end where others already take the whole rate.

    With the nearest durations that fit and that the key's limits and a standing approval allow. Not asked
    where the glass is broken: an emergency does not wait, and so few are no crowd.
    """
    now, end = broker.clock(), _end_of(broker, key, request.duration)
    # Not believed: reconcile, whose word none but it can write, saw no live grants behind what is counted.
    if ahead.fits(end) or not broker.store.places.get(EndsPlace()).is_believed(now):
        return
    broker.measure("EndsCrowded", 1)
    near = count_ends(broker, key, request.duration, grantee=request.grantee, within=NEAR)
    earliest = max(int(now.timestamp()) + broker.settings.smallest_duration, end - NEAR)
    fitting = near.nearest(end, earliest=earliest, latest=end + NEAR)
    # What is left of a duration is never under the smallest: from there on the whole margin comes on top.
    durations = [second - int(now.timestamp()) + key.margin for second in fitting]
    allowed = [each for each in durations if _is_allowed(broker, request, key, approval, each)]
    raise EndsCrowded(_explain(request, end, allowed, max([*fitting, end]) - end), allowed)


def _is_allowed(
    broker: RequestsBroker, request: GrantRequest, key: KeyDocument, approval: Approval | None, duration: int
) -> bool:
    """Whether one may submit the same for this duration; what people voted on they would vote on again."""
    if approval is None or approval.kind != ApprovalKind.STANDING or duration > key.max_duration:
        return duration <= key.max_duration
    asked = request.model_copy(update={"duration": duration}).asked(broker.clock())
    return approval.covers(asked, quorum=broker.settings.quorum(key)).covered


def _end_of(broker: RequestsBroker, key: KeyDocument, duration: int) -> int:
    """The epoch second in which a grant that is made now falls due: by the key's margin before it expires."""
    margin = key.margin_of(duration, smallest=broker.settings.smallest_duration)
    return int(broker.clock().timestamp()) + duration - margin


def _explain(request: GrantRequest, end: int, durations: Sequence[int], later: int) -> str:
    """Why not, and what to do instead; `later`: the seconds after which the same duration fits, 0 if none."""
    state = "the request is approved, but " if request.status == Status.APPROVED else ""
    instead = [f"submit one for {' or '.join(map(format_duration, durations))}"] if durations else []
    again = f"try again in {later} s" if later else "try again in 5 minutes"
    return (
        f"{state}more grants end around {format_time(from_epoch(end))} than can be ended on time:"
        f" {', or '.join([*instead, again])}"
    )
