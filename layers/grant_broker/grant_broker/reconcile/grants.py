"""From KMS to the records: every grant that `expiry`'s role may retire, on any key of any account.

No policy can hide a grant from this listing. A pass may take several runs.
"""

from collections.abc import Callable
from functools import partial

from grant_broker.domain.passes import GrantsPlace, PassCount
from grant_broker.reconcile.judging import Judging, Sorted
from grant_broker.reconcile.walk import Page, Walk


def compare_grants(judging: Judging, has_time: Callable[[], bool]) -> bool:
    """Judge page after page while there is time; whether the pass came to its end."""
    if not has_time():
        return False
    place = judging.broker.store.places.get(GrantsPlace())
    walk = Walk(judging, place, partial(_read, judging), partial(_add, judging), PassCount())
    judging.pass_ended = walk.go(has_time)
    judging.listed_all = walk.saw_all
    return judging.pass_ended


def _read(judging: Judging, marker: str | None) -> Page:
    principal = judging.broker.settings.retiring_principal
    return judging.broker.kms.list_retirable_page(principal, marker=marker)


def _add(judging: Judging, count: PassCount, found: Sorted) -> PassCount:
    judging.count = count.plus(found.of_the_broker, found.others, judging.now)
    return judging.count
