"""Write what reconcile found: many changes together, none of them stopped by another writer's."""

import logging
from collections.abc import Iterator, Sequence

from grant_broker.aws.adoptions import Adoptions
from grant_broker.aws.dynamodb import Write
from grant_broker.domain.adoption import ADOPTED
from grant_broker.domain.errors import DatabaseRefused, Stale, Unavailable
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.records import Change
from grant_broker.domain.request import GrantRequest
from grant_broker.reconcile.broker import ReconcileBroker
from grant_broker.reconcile.plan import Plan

_LOG = logging.getLogger(__name__)
_TOGETHER = 33  # changes in one transaction, three items each (TransactWriteItems: at most 100 items)


class Recorder:
    """Counts the drift that it recorded, and what it could not write: the next run finds that again."""

    def __init__(self, broker: ReconcileBroker) -> None:
        self._broker = broker
        self.drift = 0
        self.failed = 0

    def _commit(self, plan: Plan) -> None:
        """Write changes of different records; one that another writer forestalled holds no other up."""
        for start in range(0, len(plan.changes), _TOGETHER):
            chunk = plan.changes[start : start + _TOGETHER]
            if self.record(*chunk):
                continue
            for change in chunk:
                if len(chunk) == 1 or not self.record(change):
                    self._end_apart(plan, change)

    def _end_apart(self, plan: Plan, change: Change) -> None:
        """End a grant by another record where its own cannot be written although nobody else has moved it.

        Whoever writes the table may have put something where the record's next event goes, made the record
        larger than an item can be, or be writing it again and again: that must not keep a grant alive that
        nobody approved. Of such a grant (drift) a moved record is enough, unless it says that it ends now.
        """
        make_apart = plan.apart.get(change.record.subject.removeprefix("request#"))
        if make_apart is None:
            return
        latest = self._broker.store.find_request(change.record.subject.removeprefix("request#"))
        if latest is None or latest.status == Status.ENDING:
            return
        if change.drift or latest.version == change.record.version - 1:
            self.record(make_apart())

    def _commit_in_turn(self, changes: Sequence[Change]) -> None:
        """Write consecutive changes of one record, as far as nobody else writes it meanwhile."""
        for change in changes:
            if not self.record(change):
                return

    def apply(self, plan: Plan) -> None:
        """Write a plan."""
        self._commit(plan)
        for changes in plan.sequences:
            self._commit_in_turn(changes)
        self.drift += plan.lasting

    def _marks(self, changes: Sequence[Change]) -> Iterator[Write]:
        for change in changes:
            if isinstance(change.record, GrantRequest) and change.event and change.event.type == ADOPTED:
                yield Adoptions(self._broker.store.tables).mark(change.record)

    def record(self, *changes: Change) -> bool:
        """Write changes together; whether they were written."""
        try:
            self._broker.store.commit(*changes, others=list(self._marks(changes)))
        except Stale:
            return False  # another writer was first: the next run looks again
        except (Unavailable, DatabaseRefused):
            _LOG.exception("a change could not be written")
            self.failed += 1
            return False
        self.drift += sum(change.drift for change in changes)
        return True
