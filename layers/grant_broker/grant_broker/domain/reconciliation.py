"""What must become of a live grant, given its record and the approvals: nothing, a record, or its end."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from grant_broker.domain.lifecycle import Status
from grant_broker.domain.listed_grant import PROPAGATION, ListedGrant
from grant_broker.domain.request import CONFIRM_AFTER, FAILED_AFTER, ISSUE_WITHIN, GrantRequest
from grant_broker.domain.times import from_epoch

TWO_LOOKS = 2 * PROPAGATION
"""Whatever is older than this reconcile has looked at twice: it runs every five minutes."""
_YOUNG = FAILED_AFTER + CONFIRM_AFTER + timedelta(minutes=2)
"""By then an intent without a grant was given up, and a grant that was made after that looked for."""
_LONGEST_BACKOFF = timedelta(minutes=15)
_SOON = timedelta(minutes=2)
"""Longer than a run of `expiry` has an entry for itself, and than an intent waits for its grant."""


class Remedy(StrEnum):
    """What is to be done about a live grant."""

    IN_ORDER = "in_order"
    ADOPT = "adopt"
    RESUME = "resume"
    END = "end"
    END_APART = "end_apart"
    CONFIRM = "confirm"
    REPAIR = "repair"
    SEEN_AGAIN = "seen_again"


@dataclass(frozen=True)
class Judgement:
    """What is to be done, with the reason.

    `unfit`: nobody approved the grant, and its record says that it ends. Whoever made the one may have
    written the other, so it is drift for as long as it lives.
    """

    remedy: Remedy
    reason: str = ""
    unfit: bool = False


_IN_ORDER = Judgement(Remedy.IN_ORDER)


def judge(grant: ListedGrant, record: GrantRequest | None, fault: str | None, *, now: datetime) -> Judgement:
    """What must become of a grant of the broker's own, by the record that its name leads to."""
    if grant.request_id is None:
        return Judgement(Remedy.END_APART, "the broker gives no such name")
    if record is None:
        return Judgement(Remedy.ADOPT, fault or "")
    return _by_record(grant, record, fault, now)


def _by_record(grant: ListedGrant, record: GrantRequest, fault: str | None, now: datetime) -> Judgement:
    if record.status.waits:
        return _before_intent(grant, record, fault)
    if not _own(grant, record):
        return Judgement(Remedy.END_APART, "it is not the grant that its request was given")
    if record.status.final or record.status == Status.ENDING:
        unfit = fault is not None and not record.status.final
        return replace(judge_ended(grant, record, now=now), unfit=unfit)
    if fault := _fault_of_own(grant, record, fault):
        return Judgement(Remedy.END, fault)
    if record.status == Status.ISSUING and (record.intent_at or now) + PROPAGATION < now:
        # Settling asks the key's policy, this does not: a policy that shuts the broker out must not let a
        # grant outlive its time for want of its id.
        return Judgement(Remedy.RESUME, "nobody has settled it")
    return _upkeep(record, now)


def judge_ended(grant: ListedGrant, record: GrantRequest, *, now: datetime) -> Judgement:
    """What must become of a live grant whose record says that it ends or has ended.

    A record can be written again every minute, to say that its grant has just ended. So it is believed only
    while the grant is young: of older ones the mark of `expiry` says by their id which have just ended.
    """
    if record.status == Status.ENDING:
        return _upkeep(record, now)
    # What is written there for years ahead, or as of years ahead, none of ours has written.
    looked_for = record.due is not None and record.due <= (now + _LONGEST_BACKOFF).timestamp()
    said = looked_for or (record.ended_at is not None and abs(now - record.ended_at) < PROPAGATION)
    if said and now - grant.created_at < _YOUNG:
        return _IN_ORDER
    return Judgement(Remedy.CONFIRM, f"its request is {record.status}, and KMS still shows it")


def is_about(record: GrantRequest, grant: ListedGrant) -> bool:
    """Whether a grant can be ended by a record that was made for it apart: whoever writes it may lie."""
    return _own(grant, record) and record.grant_id == grant.grant_id


def should_be_listed(record: GrantRequest, *, now: datetime) -> bool:
    """Whether KMS should by now show the grant of this record: old enough to have propagated, and to last."""
    since = record.issued_at or record.intent_at or record.created_at
    return record.status == Status.ACTIVE and since + ISSUE_WITHIN + PROPAGATION < now


def _own(grant: ListedGrant, record: GrantRequest) -> bool:
    # A deleted principal is shown by its id; `confirm` looks a grant up by the grantee of its record.
    deleted = grant.account is None and not record.status.final
    same_grantee = deleted or record.grantee == grant.grantee
    named = record.grant_name if record.expires_at else None
    return (
        same_grantee
        and record.key_arn == grant.key_arn
        and named == grant.name
        and record.grant_id in {None, grant.grant_id}
    )


def _before_intent(grant: ListedGrant, record: GrantRequest, fault: str | None) -> Judgement:
    # A table restored to a time before the take-up looks like this; so does a grant made past the table.
    if fault is None and (record.key_arn, record.grantee) == (grant.key_arn, grant.grantee):
        return Judgement(Remedy.RESUME, f"its request is {record.status}")
    return Judgement(Remedy.END_APART, fault or "it is not the grant that was asked for")


def _fault_of_own(grant: ListedGrant, record: GrantRequest, fault: str | None) -> str | None:
    if fault is None and record.scope != grant.scope:
        return "its operations or its constraint are not those of its request"
    late = record.expires_at and grant.expiry and record.expires_at >= grant.expiry + timedelta(seconds=1)
    return "its record would end it later than its name says" if fault is None and late else fault


def _upkeep(record: GrantRequest, now: datetime) -> Judgement:
    if record.status == Status.ENDING and record.grant_id is None:
        return Judgement(Remedy.REPAIR, "its grant was not known")
    if record.due is None or from_epoch(record.due) > _latest(record, now):
        return Judgement(Remedy.REPAIR, "it was not on the agenda in time")
    return Judgement(Remedy.SEEN_AGAIN) if record.missing_since else _IN_ORDER


def _latest(record: GrantRequest, now: datetime) -> datetime:
    """The latest time that the agenda may say: the expiry, and once it is time to act, soon.

    A back-off may be longer, but whoever can write the record could have written that too, again and again:
    a grant that lives although it should end is tried again by each run of reconcile.
    """
    if record.status == Status.ACTIVE and record.ends_at and record.ends_at > now:
        return from_epoch(math.ceil(record.ends_at.timestamp()))
    return now + _SOON
