"""What is to become of the grants that KMS shows and of the records: decided here, written by the recorder.

Nothing here writes, and nothing may end a grant: `expiry` does, because a request is `ending` or on the
agenda.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import cast

from grant_broker.domain import adoption
from grant_broker.domain.bookkeeping import missing, rescheduled, seen_again
from grant_broker.domain.listed_grant import ListedGrant, is_unique_id
from grant_broker.domain.reconciliation import (
    TWO_LOOKS,
    Judgement,
    Remedy,
    is_about,
    judge,
    judge_ended,
    should_be_listed,
)
from grant_broker.domain.records import Change, Stamp
from grant_broker.domain.request import GrantRequest, Transition
from grant_broker.reconcile.approvals_in_force import Evidence

BY = "reconcile"


@dataclass
class Plan:
    """Changes of different records; sequences of changes, each of one record.

    `lasting`: grants that nobody approved and that live although an earlier run put an end to them on the
    agenda. They are drift for as long as they live.
    """

    changes: list[Change] = field(default_factory=list)
    sequences: list[Sequence[Change]] = field(default_factory=list)
    lasting: int = 0
    apart: dict[str, Callable[[], Transition]] = field(default_factory=dict)
    """By the id of a record: how its grant is ended by a record of its own, if that one cannot be written."""


@dataclass(frozen=True)
class Planner:
    """Decides for one run; `stamp` makes the stamp of a change."""

    now: datetime
    stamp: Callable[[], Stamp]

    def plan_grants(self, page: Sequence[ListedGrant], evidence: Evidence) -> Plan:
        """Plan what becomes of a page of live grants."""
        plan, records = Plan(), dict(evidence.records)
        for listed in page:
            grant = self._with_known_grantee(listed, records.get(listed.request_id or ""), evidence)
            record, found = self._judge(grant, records, evidence)
            if found.remedy in {Remedy.ADOPT, Remedy.END_APART}:
                adopted = self._adopt(grant, found, evidence, taken=grant.derived_id in records)
                plan.changes.append(adopted)
                # A second grant under the same name must find this record.
                records[adopted.record.id] = adopted.record
            else:
                # What has no record is adopted or ended apart (`judge`).
                known = cast("GrantRequest", record)
                self._plan_record(plan, known, found, grant, evidence)
                if found.remedy in {Remedy.END, Remedy.CONFIRM}:
                    plan.apart[known.id] = partial(self._adopt_apart, grant, found, evidence, records)
                plan.lasting += _is_lasting(record, grant)
                plan.lasting += found.unfit and not evidence.is_end_ordered(grant, known)
        plan.changes += evidence.note_glass()
        return plan

    def plan_records(
        self, records: Sequence[GrantRequest], is_absent: Callable[[GrantRequest], bool]
    ) -> Plan:
        """Plan what becomes of records that are not on the agenda, or whose grant was not listed.

        Twice not listed is no proof that a grant is gone: KMS lists none to a role that was recreated. So its
        request is put to `ending`, and `expiry` closes it on what KMS says of the grant's own id.
        """
        plan = Plan()
        for record in records:
            gone = should_be_listed(record, now=self.now) and is_absent(record)
            if gone and record.missing_since:
                plan.changes.append(adoption.ending_unlisted(record, self.stamp()))
            elif gone:
                plan.changes.append(missing(record, self.now))
            elif record.due is None and not record.status.final:
                plan.changes.append(rescheduled(record, self.now))
        return plan

    def _judge(
        self, grant: ListedGrant, records: dict[str, GrantRequest | None], evidence: Evidence
    ) -> tuple[GrantRequest | None, Judgement]:
        record = records.get(grant.request_id or "")
        use = evidence.uses.get(grant.request_id or "")
        if use and use.just_ended(grant, self.now):
            return record, Judgement(Remedy.IN_ORDER)
        fault = evidence.fault(grant, record) if grant.request_id else None
        found = judge(grant, record, fault, now=self.now)
        if found.remedy == Remedy.ADOPT and grant.request_id in records:
            # Of a request that was archived the mark of its use says why.
            found = Judgement(Remedy.END_APART, fault or "its record cannot be read")
        apart = records.get(grant.derived_id) if found.remedy == Remedy.END_APART else None
        if apart and is_about(apart, grant):
            ended = evidence.uses.get(apart.id)
            if ended and ended.just_ended(grant, self.now):
                return apart, Judgement(Remedy.IN_ORDER)
            return apart, judge_ended(grant, apart, now=self.now)
        return record, found

    def _with_known_grantee(
        self, grant: ListedGrant, record: GrantRequest | None, evidence: Evidence
    ) -> ListedGrant:
        """The grant with the grantee that was asked for, while KMS may not know that one by its ARN yet.

        For a principal's first minutes KMS may show its id, as it does of one that was deleted: the grant is
        judged by all the rest, and by its grantee once there was time for two looks.
        """
        known = evidence.find_grantee(grant, record)
        is_young = self.now - grant.created_at < TWO_LOOKS
        return replace(grant, grantee=known) if known and is_young and is_unique_id(grant.grantee) else grant

    def _adopt_apart(
        self,
        grant: ListedGrant,
        found: Judgement,
        evidence: Evidence,
        records: Mapping[str, GrantRequest | None],
    ) -> Transition:
        apart = replace(found, remedy=Remedy.END_APART)
        return self._adopt(grant, apart, evidence, taken=grant.derived_id in records)

    def _adopt(self, grant: ListedGrant, found: Judgement, evidence: Evidence, *, taken: bool) -> Transition:
        stamp, apart = self.stamp(), found.remedy == Remedy.END_APART
        # The grant's own id leads to one record, which whoever made the grant may have written first, so that
        # nobody can use it. Then it gets a record under an id that nobody knew before.
        own_id = stamp.event_id if taken else grant.derived_id
        record_id = own_id if apart else str(grant.request_id)
        return adoption.adopted(
            grant,
            stamp,
            record_id=record_id,
            longest=evidence.longest(grant),
            fault=found.reason or None,
            after=evidence.find_head(record_id),
        )

    def _plan_record(
        self, plan: Plan, record: GrantRequest, found: Judgement, grant: ListedGrant, evidence: Evidence
    ) -> None:
        match found.remedy:
            case Remedy.END:
                drift = not evidence.is_end_ordered(grant, record)
                plan.changes.append(
                    adoption.ending_unfit(
                        record, self.stamp(), found.reason, grant_id=grant.grant_id, drift=drift
                    )
                )
            case Remedy.RESUME:
                plan.sequences.append(adoption.caught_up(record, grant, self.stamp))
            case Remedy.CONFIRM:
                plan.changes.append(adoption.alive_after_end(record, self.stamp(), found.reason))
            case Remedy.REPAIR:
                plan.changes.append(rescheduled(record, self.now, grant_id=record.grant_id or grant.grant_id))
            case Remedy.SEEN_AGAIN:
                plan.changes.append(seen_again(record))


def _is_lasting(record: GrantRequest | None, grant: ListedGrant) -> bool:
    return record is not None and record.id == grant.derived_id and not record.status.final
