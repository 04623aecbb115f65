"""The agenda's ends against KMS: how late they would come, and whether live grants stand behind them.

Issuers count on the agenda, which every function writes. What they do with the count rests on what is said
here, from KMS's own listing and in a partition that reconcile alone writes.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection

from grant_broker.domain.ends_ahead import EndsAhead, is_believed
from grant_broker.domain.place import EndsPlace
from grant_broker.reconcile.judging import Judging

_LOG = logging.getLogger(__name__)


def read_ends(judging: Judging, _has_time: Callable[[], bool]) -> bool:
    """Read what falls due, and tell how late it would come; before KMS is listed, which has to show it."""
    judging.ends = list(judging.broker.store.agenda.list_ends(0))
    if judging.ends:
        ahead = EndsAhead(Counter(due for due, _ in judging.ends), judging.broker.settings.end_rate)
        judging.broker.measure("DebtSeconds", ahead.debt(int(judging.now.timestamp())))
    return True


def judge_ends(judging: Judging, _has_time: Callable[[], bool]) -> bool:
    """Say whether the agenda is to be believed, where this run saw all grants that it may speak of."""
    if not judging.ends or not judging.listed_all:
        return True
    rate = judging.broker.settings.end_rate
    unbacked = _count_unbacked(judging.ends, judging.seen)
    if not is_believed(unbacked, rate):
        # Many grants may have been ended, or revoked, since the agenda was read: those have left it.
        still = set(judging.broker.store.agenda.list_ends(0))
        unbacked = _count_unbacked([end for end in judging.ends if end in still], judging.seen)
    if not is_believed(unbacked, rate):
        _LOG.error("ends on the agenda have no live grants behind them", extra={"ends": unbacked})
        judging.broker.measure("EndsNotBacked", unbacked)
        # Nothing is read or written where all is well: what is said here is over by itself.
        place = judging.broker.store.places.get(EndsPlace())
        judging.recorder.record(place.not_believed(judging.now))
    return True


def _count_unbacked(ends: Collection[tuple[int, str]], seen: Collection[str]) -> int:
    """Count the ends without a live grant of their own: no grant stands behind two of them."""
    return len(ends) - len({grant_id for _, grant_id in ends if grant_id in seen})
