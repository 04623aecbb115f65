"""The job of a mass revocation: end what is live, cancel what waits, page after page, and once more later.

Each batch is one transaction with the job's own record, so that a crash loses no count, and of two that work
on the same job one stops. What a batch has dealt with has left its status, so that a page read twice shows it
no more.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime

from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.revoke import withdraw_votes
from grant_broker.aws.attributes import Item
from grant_broker.domain.approvals import Approval
from grant_broker.domain.blocks import Selectors
from grant_broker.domain.errors import Contended, DatabaseRefused, NotFound, Stale
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.mass_revocations import SWEPT, MassRevocation, SweepStage
from grant_broker.domain.records import Change, ChangeOf
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.transitions import ending, revoked
from grant_broker.retries import apply_to_latest, retry_stale

_LOG = logging.getLogger(__name__)
_TOGETHER = 33  # requests in a transaction of 100 items: record, event and votes of each, and the job


def carry_on(broker: ApprovalsBroker, job: MassRevocation, *, until: datetime) -> MassRevocation:
    """Do what there is to do for a job by now, until a time; the job as it is then.

    Raises Unavailable where the database does not answer: the job stays where it is.
    """
    try:
        while job.stage != SweepStage.DONE and broker.clock() < until:
            if job.stage == SweepStage.SECOND_SWEEP and broker.clock() < job.again_at:
                break
            job = _sweep_page(broker, job, until)
    except Stale:
        # Another call or run works on it.
        return broker.revocations.get(job.id)
    return job


def _sweep_page(broker: ApprovalsBroker, job: MassRevocation, until: datetime) -> MassRevocation:
    """Deal with one page of one status, and go on to the next unless time was up."""
    start = json.loads(job.marker) if job.marker else None
    rows = broker.store.lists.read_status(job.at_status, start=start)
    wanted = [item for item in rows.items if _is_wanted(job, item)]
    for first in range(0, len(wanted), _TOGETHER):
        if first and broker.clock() >= until:
            return job
        # By its key, which every item has, whatever else somebody wrote into it or took out of it.
        ids = [str(item["pk"]).removeprefix("request#") for item in wanted[first : first + _TOGETHER]]
        job = _revoke_together(broker, job, ids)
    if rows.last:
        return _commit(broker, job.moved(job.at_status, json.dumps(rows.last)))
    if following := SWEPT[SWEPT.index(job.at_status) + 1 :]:
        return _commit(broker, job.moved(following[0], None))
    return _finish_sweep(broker, job)


def _finish_sweep(broker: ApprovalsBroker, job: MassRevocation) -> MassRevocation:
    change = job.swept(broker.stamp(job.by))
    is_done = change.record.stage == SweepStage.DONE
    leaving = [broker.revocations.get_queue().left(job.id)] if is_done else []
    broker.store.commit(change, *leaving)
    return change.record


def _is_wanted(job: MassRevocation, item: Item) -> bool:
    """Whether an item of the index is what a job is about; its record is asked again, which may be ahead."""
    key_arn, account, grantee = (str(item.get(name)) for name in ("key_arn", "account", "grantee"))
    about = Selectors.about(key_arn=key_arn, account=account, grantee=grantee)
    return job.matches(about, item.get("approval"))


def _revoke_together(broker: ApprovalsBroker, job: MassRevocation, ids: Sequence[str]) -> MassRevocation:
    """Deal with a batch in one transaction, or where one of them stands in the way of it one by one."""
    requests = [each for each in broker.store.find_requests(ids) if job.matches_request(each)]
    votes = broker.store.find_all_votes([each.id for each in requests])
    progress = job.progressed(len(requests))
    changes = [change for each in requests for change in _changes(broker, job, each, votes.get(each.id))]
    try:
        broker.store.commit(progress, *changes)
    except (Stale, DatabaseRefused):
        dealt_with = sum(_revoke_one(broker, job, each) for each in requests)
        return _commit(broker, job.progressed(dealt_with))
    return progress.record


def _revoke_one(broker: ApprovalsBroker, job: MassRevocation, request: GrantRequest) -> bool:
    """Deal with one request as it is by now; whether there was anything to do."""

    def revoke(latest: GrantRequest) -> bool:
        if not job.matches_request(latest):
            return False
        broker.store.commit(*_changes(broker, job, latest, broker.store.find_votes(latest.id)))
        return True

    try:
        return apply_to_latest(broker, request, revoke)
    except (NotFound, DatabaseRefused):
        # What cannot be written now `reconcile` ends, by the block.
        _LOG.exception("a request was not revoked", extra={"request": request.id})
        return False
    except Contended:
        # It may be for ever: whoever writes the table may have put something where its next event goes, or
        # write the record again and again. Neither may hold the others up, nor keep the grant from ending.
        _LOG.exception("a request's record cannot be written", extra={"request": request.id})
        retry_stale(lambda: broker.store.commit(withdraw_votes(broker, request, broker.clock())))
        return False


def _changes(
    broker: ApprovalsBroker, job: MassRevocation, request: GrantRequest, votes: Approval | None
) -> list[Change]:
    """The transition of a request, and its votes withdrawn: a restored request table must not revive it."""
    stamp = broker.stamp(job.by)
    # What was in flight is not counted: the progress that is told is that of the first sweep.
    counted = job.id if job.stage == SweepStage.FIRST_SWEEP else None
    if request.status.waits:
        change = revoked(request, stamp, job.reason, revocation=counted)
    else:
        change = ending(request, stamp, Status.REVOKED, job.reason, revocation=counted)
    return [change, *([votes.void(stamp.at)] if votes else [])]


def _commit(broker: ApprovalsBroker, change: ChangeOf[MassRevocation]) -> MassRevocation:
    broker.store.commit(change)
    return change.record


def count_unseen(broker: ApprovalsBroker, job: MassRevocation, *, until: datetime) -> MassRevocation:
    """Count what the first sweep has yet to come to, as far as there is time; the job with the count."""
    if job.stage != SweepStage.FIRST_SWEEP:
        return job
    unseen = 0
    for items in _pages_ahead(broker, job):
        unseen += sum(_is_wanted(job, item) for item in items)
        if broker.clock() >= until:
            break
    try:
        return _commit(broker, job.counted(unseen))
    except Stale:
        # The minute's run is at it already.
        return broker.revocations.get(job.id)


def _pages_ahead(broker: ApprovalsBroker, job: MassRevocation) -> Iterator[list[Item]]:
    start = json.loads(job.marker) if job.marker else None
    for status in SWEPT[SWEPT.index(job.at_status) :]:
        while True:
            rows = broker.store.lists.read_status(status, start=start)
            yield rows.items
            if (start := rows.last) is None:
                break
