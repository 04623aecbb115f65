"""Remind people of deadlines, by the pass over the records that is made anyway.

So nothing more runs, is read or is paid for while nothing is near; each reminder is one transaction of its
record and its event, on the version that was read: at most once, whatever crashes, and never in the way of
an end, which has the agenda and a minute to itself.
"""

from collections.abc import Sequence
from datetime import datetime

from grant_broker.aws.attributes import Item
from grant_broker.domain.bookkeeping import reminded
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.reminders import AHEAD, OF, find_reminder
from grant_broker.reconcile.judging import Judging
from grant_broker.reconcile.plan import BY, Plan


def remind(judging: Judging, items: Sequence[Item]) -> None:
    """Remind of what is near, of one page of the index; its items may be stale, so the records are read."""
    ids = [str(item["pk"]).removeprefix("request#") for item in items if _may_be_owed(item, judging.now)]
    records = filter(None, judging.reader.read_records(ids).values())
    owed = ((record, find_reminder(record, judging.now)) for record in records)
    stamp = judging.broker.stamp
    changes = [reminded(record, stamp(BY), reminder) for record, reminder in owed if reminder]
    judging.recorder.apply(Plan(changes=list(changes)))


def _may_be_owed(item: Item, now: datetime) -> bool:
    """Whether an item is worth a look. Read past the model: an index may hold anything."""
    status, due = Status(item["status"]), item.get("due")
    if status not in OF or item.get("reminded_of") == OF[status] or not isinstance(due, int):
        return False
    return due <= (now + AHEAD[status]).timestamp()
