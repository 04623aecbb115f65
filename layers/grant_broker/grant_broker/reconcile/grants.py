"""From KMS to the records: every grant that `expiry`'s role may retire, on any key of any account.

No policy can hide a grant from this listing. KMS has one for each Region; a pass over it may take several
runs, and one Region that does not answer keeps no other from being compared.
"""

import logging
from collections.abc import Callable
from functools import partial

from grant_broker.domain.arns import find_region
from grant_broker.domain.errors import BrokerError, DatabaseRefused, KmsUncertain
from grant_broker.domain.passes import GrantsPlace, PassCount
from grant_broker.reconcile.judging import Judging, Sorted
from grant_broker.reconcile.walk import Page, Walk

_LOG = logging.getLogger(__name__)


def compare_grants(judging: Judging, has_time: Callable[[], bool]) -> bool:
    """Judge page after page of each Region while there is time; whether all passes came to their end.

    Raises the first error that stopped one of them, once the others are done.
    """
    ended, errors = set[str](), list[BrokerError | DatabaseRefused]()
    regions = _list_regions(judging)
    for region in regions:
        if not has_time():
            return False
        try:
            ended |= {region} if _compare_region(judging, region, has_time) else set()
        except (BrokerError, DatabaseRefused) as error:
            _LOG.exception("a Region's grants are not compared", extra={"region": region})
            errors.append(error)
            if isinstance(error, KmsUncertain):
                judging.silent[region] = error
    judging.pass_ended = ended.issuperset(regions)
    judging.listed_all = judging.listed_regions.issuperset(regions)
    if errors:
        raise errors[0]
    return judging.pass_ended


def _list_regions(judging: Judging) -> list[str]:
    """The stack's Regions, the home Region first, and those of keys that were registered in any other."""
    settings = judging.broker.settings
    registered = (find_region(place.key_arn) for place in judging.key_places)
    return list(dict.fromkeys([*settings.regions, *filter(None, registered)]))


def _compare_region(judging: Judging, region: str, has_time: Callable[[], bool]) -> bool:
    is_home = region == judging.broker.settings.aws_region
    place = judging.broker.store.places.get(GrantsPlace(region=None if is_home else region))
    walk = Walk(judging, place, partial(_read, judging, region), partial(_add, judging, region), PassCount())
    is_done = walk.go(has_time)
    if walk.saw_all:
        judging.listed_regions.add(region)
    return is_done


def _read(judging: Judging, region: str, marker: str | None) -> Page:
    principal = judging.broker.settings.retiring_principal
    return judging.broker.kms.list_retirable_page(principal, region, marker=marker)


def _add(judging: Judging, region: str, count: PassCount, found: Sorted) -> PassCount:
    judging.counts[region] = count.plus(found.of_the_broker, found.others, judging.now)
    return judging.counts[region]
