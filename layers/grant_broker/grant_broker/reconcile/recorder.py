"""Write what reconcile found: many changes together, none of them stopped by another writer's."""

from collections.abc import Sequence
from datetime import datetime

from grant_broker.domain.errors import Stale, Unavailable
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.records import Change
from grant_broker.domain.trail import GENESIS, Event
from grant_broker.reconcile.broker import ReconcileBroker
from grant_broker.reconcile.plan import BY, Plan

_TOGETHER = 40  # changes in one transaction, two items each (TransactWriteItems: at most 100 items)


class Recorder:
    """Counts the drift that it recorded, and what it could not write: the next run finds that again."""

    def __init__(self, broker: ReconcileBroker, now: datetime) -> None:
        self._broker = broker
        self._now = now
        self.drift = 0
        self.failed = 0

    def _commit(self, changes: Sequence[Change]) -> None:
        """Write changes of different records; one that another writer forestalled holds no other up."""
        for start in range(0, len(changes), _TOGETHER):
            chunk = changes[start : start + _TOGETHER]
            if not self._write(*chunk) and len(chunk) > 1:
                for change in chunk:
                    self._write(change)

    def _commit_in_turn(self, changes: Sequence[Change]) -> None:
        """Write consecutive changes of one record, as far as nobody else writes it meanwhile."""
        for change in changes:
            if not self._write(change):
                return

    def apply(self, plan: Plan) -> None:
        """Write a plan."""
        self._commit(plan.changes)
        for changes in plan.sequences:
            self._commit_in_turn(changes)
        for foreign in plan.foreign:
            self._report_foreign(foreign)

    def _report_foreign(self, foreign: ListedGrant) -> None:
        """Report, once, a grant that somebody else made retirable by the broker; it is never touched."""
        event = Event(
            id=self._broker.new_id(),
            subject=f"grant#{foreign.derived_id}",
            sequence=1,
            at=self._now,
            type="foreign_grant",
            by=BY,
            detail={"drift": True, **foreign.detail},
            previous=GENESIS,
        ).sealed()
        try:
            self._broker.store.add_event(event)
            self.drift += 1
        except Stale:
            return  # reported by an earlier run
        except Unavailable:
            self.failed += 1

    def _write(self, *changes: Change) -> bool:
        try:
            self._broker.store.commit(*changes)
        except Stale:
            return False  # another writer was first: the next run looks again
        except Unavailable:
            self.failed += 1
            return False
        self.drift += sum(change.drift for change in changes)
        return True
