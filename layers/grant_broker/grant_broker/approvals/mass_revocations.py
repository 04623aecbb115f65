"""The kill switch: block what is selected, and have all that matches it ended by a stored job."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import cache

from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.sweep import carry_on, count_unseen
from grant_broker.domain.arns import name_of_principal
from grant_broker.domain.blocks import Block, Selectors
from grant_broker.domain.errors import (
    BrokerError,
    DatabaseRefused,
    Fault,
    InvalidRequest,
    Unavailable,
)
from grant_broker.domain.idempotency import Idempotency, ensure_same_body
from grant_broker.domain.mass_revocations import MassRevocation, MassRevocationAsked, Progress, block_end
from grant_broker.domain.people import Caller
from grant_broker.domain.records import Change, Stamp
from grant_broker.domain.times import milliseconds
from grant_broker.retries import retry_stale

_LOG = logging.getLogger(__name__)
# Of one call, which API Gateway cuts off after 29 s and Lambda after 25.
_SWEEP_WITHIN, _COUNT_WITHIN = timedelta(seconds=12), timedelta(seconds=18)


def create(
    broker: ApprovalsBroker, caller: Caller, asked: MassRevocationAsked, idempotency: Idempotency
) -> MassRevocation:
    """Store the block and the job in one transaction, and begin with the job.

    A crash before the transaction leaves nothing, after it a job that the minute's run takes up. Raises
    InvalidRequest (nothing selected, or no such key), Conflict (the idempotency key was used for another
    body).
    """
    revocation_id = idempotency.id_for(
        account=caller.account,
        person=broker.person(caller),
        route="POST /security/revocations",
        new_id=broker.new_id(),
    )
    made = retry_stale(lambda: _create(broker, caller, asked, idempotency, revocation_id))
    return begin(broker, made)


def _create(
    broker: ApprovalsBroker,
    caller: Caller,
    asked: MassRevocationAsked,
    idempotency: Idempotency,
    revocation_id: str,
) -> MassRevocation:
    if idempotency.key and (stored := broker.revocations.find(revocation_id)):
        ensure_same_body(stored.body_digest, idempotency.body_digest)
        return stored
    selectors, stamp = _select(broker, asked), broker.stamp(caller.arn)
    at = milliseconds(stamp.at)
    revocation = MassRevocation(
        id=revocation_id,
        selectors=selectors,
        grantee=asked.grantee,
        reason=asked.reason,
        by=caller.arn,
        created_at=at,
        blocked_until=block_end(at, asked.block_for),
        body_digest=idempotency.body_digest,
    )
    block = broker.store.blocks.find(selectors) or Block(selectors=selectors)
    broker.store.commit(*store_job(broker, revocation, stamp), block.stood_on(revocation.standing))
    broker.measure("BlocksMade", 1)
    return broker.revocations.get(revocation_id)


def _select(broker: ApprovalsBroker, asked: MassRevocationAsked) -> Selectors:
    key = None
    if asked.key and (key := broker.store.find_key_named(asked.key)) is None:
        raise InvalidRequest(Fault("key", "not registered: give the ARN or the name of a key that is"))
    return Selectors(
        key_arn=key.document.key_arn if key else None,
        account=asked.account,
        grantee=name_of_principal(asked.grantee) if asked.grantee else None,
    )


def store_job(broker: ApprovalsBroker, revocation: MassRevocation, stamp: Stamp) -> list[Change]:
    """For `commit`: a mass revocation, and its place among those whose jobs are not done."""
    return [revocation.made(stamp), broker.revocations.get_queue().joined(revocation.id)]


def begin(broker: ApprovalsBroker, revocation: MassRevocation) -> MassRevocation:
    """Do as much of a job as a call has time for, and count what is left; the minute's run does the rest."""
    began = broker.clock()
    try:
        revocation = carry_on(broker, revocation, until=began + _SWEEP_WITHIN)
        return count_unseen(broker, revocation, until=began + _COUNT_WITHIN)
    except (Unavailable, DatabaseRefused):
        # It is stored, and so is the block: whoever pulled the switch must not think otherwise.
        _LOG.exception("a job is left to the minute's run", extra={"revocation": revocation.id})
        return revocation


def progress_reader(broker: ApprovalsBroker) -> Callable[[MassRevocation], Progress]:
    """Make what tells how far mass revocations are, by an index that may be some seconds behind."""
    ending = cache(broker.store.lists.count_ending)

    def read(revocation: MassRevocation) -> Progress:
        left = revocation.unseen + ending()[revocation.id]
        return Progress(revocation, min(revocation.matched, left))

    return read


def lift(broker: ApprovalsBroker, caller: Caller, revocation_id: str) -> None:
    """Lift a block; repeated, nothing happens. What was to end ends all the same. NotFound."""
    retry_stale(lambda: _lift(broker, caller, revocation_id))


def _lift(broker: ApprovalsBroker, caller: Caller, revocation_id: str) -> None:
    revocation, stamp = broker.revocations.get(revocation_id), broker.stamp(caller.arn)
    if revocation.lifted_at or not revocation.blocks:
        return
    block = broker.store.blocks.find(revocation.selectors)
    changes: list[Change] = [block.lifted(revocation.id, milliseconds(stamp.at))] if block else []
    broker.store.commit(revocation.lifted(stamp), *changes)


def run(broker: ApprovalsBroker, within: timedelta) -> int:
    """Go on with every job that is not done, for so long at most; how many there are.

    A crash leaves each where its last transaction was. One that fails holds up no other; the first error is
    raised at the end.
    """
    until, errors = broker.clock() + within, list[Exception]()
    ids = broker.revocations.get_queue().ids
    for revocation_id in ids:
        try:
            revocation = broker.revocations.get(revocation_id)
            age = (broker.clock() - revocation.created_at).total_seconds()
            broker.measure("RevocationAgeSeconds", age)
            carry_on(broker, revocation, until=until)
        except (BrokerError, DatabaseRefused, ValueError) as error:
            _LOG.exception("a job failed", extra={"revocation": revocation_id})
            errors.append(error)
    if errors:
        raise errors[0]
    return len(ids)
