"""Write what reconcile found: many changes together, none of them stopped by another writer's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from grant_broker.aws.items import item_of
from grant_broker.domain import adoption
from grant_broker.domain.errors import Stale, Unavailable
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.live_grants import LiveGrant
from grant_broker.domain.records import Change, Stamp
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.trail import GENESIS, Event
from grant_broker.domain.transitions import closed
from grant_broker.reconcile.broker import ReconcileBroker

BY = "reconcile"
_TOGETHER = 40  # changes in one transaction, two items each (TransactWriteItems: at most 100 items)


class Recorder:
    """Counts the drift that it recorded, and what it could not write: the next run finds that again."""

    def __init__(self, broker: ReconcileBroker, now: datetime) -> None:
        self._broker = broker
        self._now = now
        self.drift = 0
        self.failed = 0

    def commit(self, changes: Sequence[Change]) -> None:
        """Write changes of different records; one that another writer forestalled holds no other up."""
        for start in range(0, len(changes), _TOGETHER):
            chunk = changes[start : start + _TOGETHER]
            if not self._written(*chunk) and len(chunk) > 1:
                for change in chunk:
                    self._written(change)

    def in_turn(self, changes: Sequence[Change]) -> None:
        """Write consecutive changes of one record, as far as nobody else writes it meanwhile."""
        for change in changes:
            if not self._written(change):
                return

    def close(self, record: GrantRequest) -> None:
        """Close a request whose grant is gone, through `ending`."""
        if record.status == Status.ACTIVE:
            end = adoption.ending_unfit(
                record, self._stamp(), adoption.ENDED_OUTSIDE, grant_id=record.grant_id, drift=True
            )
            self.in_turn([end, closed(end.record, self._stamp())])
        else:
            self.in_turn([closed(record, self._stamp())])

    def _stamp(self) -> Stamp:
        return self._broker.stamp(BY)

    def foreign(self, grant: LiveGrant, shown: dict[str, Any]) -> None:
        """Report, once, a grant that somebody else made retirable by the broker; it is never touched."""
        event = Event(
            id=self._broker.new_id(), subject=f"grant#{grant.derived_id}", sequence=1, at=self._now,
            type="foreign_grant", by=BY, detail={"drift": True, **shown}, previous=GENESIS,
        ).sealed()  # fmt: skip
        store = self._broker.store
        put = {
            "TableName": store.tables.table_of(event),
            "Item": item_of(event),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        try:
            store.database.transact([{"Put": put}])
            self.drift += 1
        except Stale:
            return  # reported by an earlier run
        except Unavailable:
            self.failed += 1

    def _written(self, *changes: Change) -> bool:
        try:
            self._broker.store.commit(*changes)
        except Stale:
            return False  # another writer was first: the next run looks again
        except Unavailable:
            self.failed += 1
            return False
        self.drift += sum(change.drift for change in changes)
        return True
