"""The agenda's ends against KMS: how late they would come, and whether live grants stand behind them.

Issuers count on the agenda, which every function writes. What they do with the count rests on what is said
here, from KMS's own listing and in a partition that reconcile alone writes.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from grant_broker.aws.agenda import End
from grant_broker.domain.ends_ahead import by_region, is_believed, longest_wait
from grant_broker.domain.listed_grant import PROPAGATION
from grant_broker.domain.live_grants import SKEW
from grant_broker.domain.place import EndsPlace
from grant_broker.domain.request import GrantRequest
from grant_broker.reconcile.judging import Judging

_LOG = logging.getLogger(__name__)


_MOST = 200_000  # ends of a shard: whoever filled the agenda must not use up the time to look at grants
_LOOKED_AT = 2_000  # records


def read_ends(judging: Judging, _has_time: Callable[[], bool]) -> bool:
    """Read what falls due, and tell how late it would come; before KMS is listed, which has to show it."""
    judging.ends = judging.broker.store.agenda.list_ends(most=_MOST)
    if judging.ends:
        settings, now = judging.broker.settings, int(judging.now.timestamp())
        regions = by_region((settings.region_counted(end.region), end.due) for end in judging.ends)
        judging.broker.measure("DebtSeconds", longest_wait(regions, settings.end_rate, now))
    return True


def judge_ends(judging: Judging, _has_time: Callable[[], bool]) -> bool:
    """Say whether the agenda is to be believed, where this run saw all grants that it may speak of."""
    if not judging.ends or not judging.listed_all:
        return True
    rate = judging.broker.settings.end_rate
    unbacked = _count_unbacked(judging.ends, judging.seen)
    if not is_believed(unbacked, rate):
        unbacked = _count_unbacked(_look_again(judging, judging.ends), judging.seen)
    if not is_believed(unbacked, rate):
        _LOG.error("ends on the agenda have no live grants behind them", extra={"ends": unbacked})
        judging.broker.measure("EndsNotBacked", unbacked)
        # Nothing is read or written where all is well: what is said here is over by itself.
        place = judging.broker.store.places.get(EndsPlace())
        judging.recorder.record(place.not_believed(judging.now))
    return True


def _look_again(judging: Judging, ends: Sequence[End]) -> list[End]:
    """Leave out what is no forgery although KMS does not list it.

    Many grants may have been ended since the agenda was read, and have left it; and KMS may learn of new ones
    late. That a record says when it was issued proves nothing, but a forged one is not young for long.
    """
    still = set(judging.broker.store.agenda.list_ends(most=_MOST))
    left = [end for end in ends if end in still]
    unseen = [end.request_id for end in left if end.grant_id not in judging.seen]
    records = judging.reader.read_records(unseen[:_LOOKED_AT])
    young = {name for name, record in records.items() if record and _is_young(record, judging.now)}
    return [end for end in left if end.request_id not in young]


def _is_young(record: GrantRequest, now: datetime) -> bool:
    return record.issued_at is not None and now - PROPAGATION < record.issued_at <= now + SKEW


def _count_unbacked(ends: Collection[End], seen: Collection[str]) -> int:
    """Count the ends without a live grant of their own: no grant stands behind two of them."""
    return len(ends) - len({end.grant_id for end in ends if end.grant_id in seen})
