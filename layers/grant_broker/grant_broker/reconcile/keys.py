"""Each registered key's own listing, in turn: what the listing by retiring principal cannot show.

Those are grants whose retiring principal was deleted, and grants that others made. Each run lists a part of
the keys, so that each is listed twice an hour.
"""

import logging
import math
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from grant_broker.domain.arns import find_region
from grant_broker.domain.errors import GrantNotFound, KmsRefused, KmsUncertain
from grant_broker.domain.passes import ByOthers, KeyPlace
from grant_broker.reconcile.judging import Judging, Sorted
from grant_broker.reconcile.plan import BY
from grant_broker.reconcile.walk import Page, Walk

_LOG = logging.getLogger(__name__)
EVERY = timedelta(minutes=30)
_RUNS = 6  # that share the keys: as many as there are in EVERY
THEIRS = "somebody else made it"


def list_keys(judging: Judging, has_time: Callable[[], bool]) -> bool:
    """List the keys whose turn it is, the longest unlisted first; whether there was time for all of them."""
    if not has_time():
        return False
    places = judging.key_places
    judging.unlisted = 0
    share = math.ceil(len(places) / _RUNS)
    turn = [place for number, place in enumerate(places) if number < share or _is_late(judging, place)]
    # As long as there is time for one of them there may be for the next.
    is_done = all(_list_key_unless_silent(judging, place, has_time) for place in turn)
    for place in turn:
        if error := judging.silent.get(find_region(place.key_arn)):
            raise error
    return is_done


def _list_key_unless_silent(judging: Judging, place: KeyPlace, has_time: Callable[[], bool]) -> bool:
    """List one key's grants; False where there was no time. Pass over the keys of Regions without answer."""
    region = find_region(place.key_arn)
    if region in judging.silent:
        return True
    try:
        return _list_key(judging, place, has_time)
    except KmsUncertain as error:
        _LOG.exception("KMS does not answer in a Region", extra={"region": region})
        judging.silent[region] = error
        return True


def _is_late(judging: Judging, place: KeyPlace) -> bool:
    return place.finished_at is None or judging.now - place.finished_at >= EVERY


def _list_key(judging: Judging, place: KeyPlace, has_time: Callable[[], bool]) -> bool:
    """List one key's grants while there is time; whether they came to their end."""
    walk = Walk(judging, place, partial(_read, judging, place), _add, ByOthers())
    try:
        is_done = walk.go(has_time)
    except GrantNotFound:
        # The key is gone, and all its grants with it.
        judging.recorder.record(place.finished(ByOthers(), judging.broker.stamp(BY)))
        return True
    except KmsRefused as error:
        _LOG.warning("KMS does not list a key's grants", extra={"key": place.key_arn, "code": error.code})
        judging.note_unlisted(place.key_arn)
        judging.recorder.record(place.refused(judging.now))
        return True
    if is_done:
        judging.note_grants(place.key_arn, walk.count.listed)
    if walk.saw_all:
        judging.listed_keys.add(place.key_arn)
    return is_done


def _read(judging: Judging, place: KeyPlace, marker: str | None) -> Page:
    return judging.broker.kms.list_grants_page(place.key_arn, marker=marker)


def _add(count: ByOthers, found: Sorted) -> ByOthers:
    theirs = [grant for grant in found.others if grant.service is None]
    left = [*found.exempt, *((grant, THEIRS) for grant in theirs)]
    services, listed = (
        len(found.others) - len(theirs),
        len(found.ours) + len(found.exempt) + len(found.others),
    )
    return count.plus(left, services=services, listed=listed)
