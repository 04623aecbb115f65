"""Count the reviews of break-glass that nobody has signed off, so that an alarm asks for them."""

from collections.abc import Callable

from grant_broker.reconcile.judging import Judging


def count_reviews(judging: Judging, has_time: Callable[[], bool]) -> bool:
    """Count what is owed, if there is time; whether it was counted."""
    if not has_time():
        return False
    judging.unreviewed = sum(1 for _ in judging.broker.store.reviews.list_all_owed())
    return True
