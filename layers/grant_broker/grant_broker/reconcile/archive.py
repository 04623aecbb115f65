"""Move requests that have been closed for long enough to the archive: stored there first, deleted then.

A crash before the tables changed leaves an object that the next pass finds to be the same; what it does not
find to be the same stays in the tables, and is told. The order is never the other way round.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from grant_broker.aws.archive import Archive
from grant_broker.aws.attributes import Item
from grant_broker.aws.dynamodb import Query
from grant_broker.aws.items import record_of
from grant_broker.aws.reviews import Reviews
from grant_broker.domain.archive import (
    MOST_EVENTS,
    Archived,
    ArchiveObject,
    archive,
    is_over,
    moved,
    object_key_of,
)
from grant_broker.domain.continuity import pause
from grant_broker.domain.errors import ArchiveRefused, DatabaseRefused, Stale, Unavailable
from grant_broker.domain.lifecycle import FINAL, Status
from grant_broker.domain.passes import ArchivePlace
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.reviews import BREAK_GLASS
from grant_broker.domain.stored import listed_from
from grant_broker.domain.tombstones import is_tombstone
from grant_broker.reconcile.judging import UNFIT, Judging
from grant_broker.reconcile.plan import BY
from grant_broker.reconcile.status_pages import PAGE, beginning, read_pages

_LOG = logging.getLogger(__name__)
_EVERY = timedelta(hours=1)
_DOWN = (ArchiveRefused, Unavailable, DatabaseRefused)
"""What the next request would meet too."""


def archive_closed(judging: Judging, has_time: Callable[[], bool]) -> bool:
    """Move what has been closed for long enough, while there is time: once an hour, and on after a stop.

    Always true: a run that leaves something in the tables has done its work, and the metric tells of it.
    """
    bucket = judging.broker.archive
    if bucket is None or not has_time():
        return True
    place = judging.broker.store.places.get(ArchivePlace())
    if not place.marker and place.finished_at and place.finished_at > judging.now - _EVERY:
        return True
    mover = _Mover(judging, bucket, has_time, place.moved_so_far)
    start = place.marker or beginning(FINAL)
    marker: str | None = start
    pages = read_pages(judging.broker.store.database, FINAL, partial(_query, judging), start)
    try:
        for items, after in pages:
            if not mover.move_all([item for item in items if "due" not in item]):
                break
            marker = after
    except _DOWN:
        _LOG.exception("nothing more can be moved to the archive by now")
        mover.failed += 1
    stamp = judging.broker.stamp(BY)
    judging.recorder.record(
        place.moved(marker, mover.count) if marker else place.finished(mover.count, stamp)
    )
    judging.not_archived = mover.failed
    return True


def _query(judging: Judging, status: Status, start: Item | None) -> Query:
    """What of a status was submitted that long ago; what was closed since is looked at, and left."""
    before = judging.now - timedelta(days=judging.broker.settings.archive_after_days)
    return Query(
        table=judging.broker.store.tables.request_table,
        index="by_status",
        condition="#status = :status AND listed_at < :before",
        values={":status": str(status), ":before": listed_from(before)},
        names={"#status": "status"},
        projection="pk, sk, due",
        limit=PAGE,
        start=start,
    )


@dataclass
class _Mover:
    """Moves requests one after the other; `count` of them so far, `failed` that stay against the rules."""

    judging: Judging
    bucket: Archive
    has_time: Callable[[], bool]
    count: int
    failed: int = 0

    def move_all(self, items: Sequence[Item]) -> bool:
        """Move those of a page that are over; false where the time was over before the page was."""
        store = self.judging.broker.store
        keys = [(str(item["pk"]), str(item["sk"])) for item in items]
        for item in store.database.get_many(store.tables.request_table, keys):
            if not self.has_time():
                return False
            # The index may show one that was moved a moment ago.
            if not is_tombstone(item):
                self._try(item)
        return True

    def _try(self, item: Item) -> None:
        """Move a request if it is over. What is not fit to be kept stays, and keeps no other from it."""
        try:
            self.count += self._move(record_of(GrantRequest, item))
        except Stale:
            return  # somebody has changed it meanwhile: the next pass looks again
        except UNFIT:
            _LOG.exception("a closed request cannot be archived", extra={"pk": item["pk"]})
            self.failed += 1

    def _move(self, record: GrantRequest) -> bool:
        """Move a request if it is over; whether it was. ValueError where it is not fit to be kept."""
        if not self._is_over(record):
            return False
        store = self.judging.broker.store
        events = store.get_trail(record.subject)
        if len(events) > MOST_EVENTS:
            return False
        kept = archive(record, events)
        if breach := kept.breach:
            raise ValueError(f"its trail is {breach.kind}: {breach.detail}")
        stored = self._store(ArchiveObject(object_key_of(record), kept.body), kept)
        store.commit(moved(record, stored), others=[store.delete_event(event) for event in events])
        return True

    def _is_over(self, record: GrantRequest) -> bool:
        """Whether nothing needs the record any more: no review of it is owed, and no holding counts."""
        wait = timedelta(days=self.judging.broker.settings.archive_after_days)
        if key := self.judging.reader.find_key(record.key_arn):
            longest = key.document.longest_held
            wait = max(wait, timedelta(seconds=longest) + pause(longest))
        if not is_over(record, wait=wait, now=self.judging.now):
            return False
        reviews = Reviews(self.judging.broker.store.tables)
        return record.broken_glass is None or reviews.find_sign_off(BREAK_GLASS, record.id) is not None

    def _store(self, found: ArchiveObject, kept: Archived) -> ArchiveObject:
        """Store the object, or find the one that an earlier run stored; ValueError where that is another."""
        if self.bucket.put(found):
            return found
        body = self.bucket.find(found.key)
        # A later release may write a record otherwise: that it is the same request its trail says.
        if body is None or Archived.model_validate_json(body).events != kept.events:
            raise ValueError("the archive holds something else under its key")
        return ArchiveObject(found.key, body)
