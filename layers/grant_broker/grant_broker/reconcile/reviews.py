"""Count the reviews that nobody has signed off, so that alarms and mails ask for them."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from grant_broker.aws.reviews import Reviews
from grant_broker.domain.accounts import Account
from grant_broker.domain.approvals import Approval
from grant_broker.domain.keys import Key
from grant_broker.domain.passes import ReviewsPlace
from grant_broker.domain.recertification import Reviewable
from grant_broker.reconcile.judging import Judging
from grant_broker.reconcile.plan import BY

_EVERY = timedelta(hours=1)


def count_reviews(judging: Judging, has_time: Callable[[], bool]) -> bool:
    """Count what is owed, if there is time; whether it was counted.

    Uses of break-glass in each run. Looks at keys, standing approvals and accounts once an hour, which is
    told by an event where some became due since.
    """
    if not has_time():
        return False
    store = judging.broker.store
    judging.unreviewed = sum(1 for _ in Reviews(store.tables).list_all_owed())
    place = store.places.get(ReviewsPlace())
    if place.finished_at is None or place.finished_at <= judging.now - _EVERY:
        owing = [each.subject for each in _list_due(judging)]
        change = place.counted(owing, judging.broker.stamp(BY))
        if judging.recorder.record(change):
            place = change.record
    judging.looks_owed = place.owed
    return True


def _list_due(judging: Judging) -> Iterator[Reviewable]:
    lists, now = judging.broker.store.lists, judging.now
    kinds: tuple[Iterator[Reviewable], ...] = (
        lists.list_reviewable(Key),
        lists.list_reviewable(Approval),
        lists.list_reviewable(Account),
    )
    for found in kinds:
        yield from (each for each in found if each.owes_review(now) and each.is_in_effect(now))
