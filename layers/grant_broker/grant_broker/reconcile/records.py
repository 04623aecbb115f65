"""From the records to KMS: requests that are off the agenda, and grants that KMS does not list.

A pass over the requests that are not final may take several runs.
"""

from collections.abc import Callable, Sequence
from functools import partial

from grant_broker.aws.attributes import Item
from grant_broker.aws.dynamodb import Query
from grant_broker.domain.lifecycle import OPEN, Status
from grant_broker.domain.listed_grant import PROPAGATION
from grant_broker.domain.passes import RecordsPlace
from grant_broker.domain.request import ISSUE_WITHIN
from grant_broker.domain.times import format_time
from grant_broker.reconcile.judging import Judging
from grant_broker.reconcile.reminders import remind
from grant_broker.reconcile.status_pages import PAGE, beginning, read_pages


def compare_records(judging: Judging, has_time: Callable[[], bool]) -> bool:
    """Look at page after page while there is time; whether the pass came to its end. Keeps its place."""
    if not has_time():
        return False
    place = judging.broker.store.places.get(RecordsPlace())
    expected = 0
    start = place.marker or beginning(OPEN)
    for items, marker in read_pages(judging.broker.store.database, OPEN, partial(_query, judging), start):
        expected += sum(_is_expected(judging, item) for item in items)
        _look_at(judging, [item for item in items if _is_suspect(judging, item)])
        remind(judging, items)
        if marker and not has_time():
            judging.recorder.record(place.moved(marker))
            return False
    if place.marker is None:
        judging.expected = expected
    judging.recorder.record(place.finished(judging.now))
    return True


def _query(judging: Judging, status: Status, start: Item | None) -> Query:
    return Query(
        table=judging.broker.store.tables.request_table,
        index="by_status",
        condition="#status = :status",
        values={":status": str(status)},
        names={"#status": "status"},
        projection="pk, grant_id, due, issued_at, key_arn, reminded_of, #status",
        limit=PAGE,
        start=start,
    )


def _is_expected(judging: Judging, item: Item) -> bool:
    """Whether KMS should list its grant by now. Read past the model: what is no time is late, and none."""
    settled = format_time(judging.now - ISSUE_WITHIN - PROPAGATION)
    return Status(item["status"]).granted and str(item.get("issued_at", "~")) < settled


def _is_suspect(judging: Judging, item: Item) -> bool:
    unseen = judging.would_see(str(item.get("key_arn"))) and str(item.get("grant_id")) not in judging.seen
    return "due" not in item or (Status(item["status"]).granted and unseen)


def _look_at(judging: Judging, suspects: Sequence[Item]) -> None:
    ids = [str(item["pk"]).removeprefix("request#") for item in suspects]
    records = judging.reader.read_records(ids)
    judging.judge_records([record for record in records.values() if record])
