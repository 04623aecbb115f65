"""A backlog: while more is due than one way can end before the next run, both ways work.

RevokeGrant reaches every grant on a key, so it is used on those alone that ListGrants has shown to be the
broker's own. A call of ListGrants for each would double the calls. So the keys that have most due are listed
by the page, up to 100 grants a call, and RevokeGrant takes what the pages showed; RetireGrant, which needs
no evidence, takes the rest.
"""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import Executor, Future
from datetime import timedelta

from grant_broker.aws.agenda import AgendaEntry
from grant_broker.domain.errors import GrantNotFound, KmsRefused, KmsUncertain
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.expiry.broker import ExpiryBroker

_LOG = logging.getLogger(__name__)
NEXT_RUN = 60  # seconds
_LATEST = timedelta(seconds=130)  # what has waited for longer outlived a whole run
_MOST_LISTED = 50_000  # grants that are kept before it is their turn: about 50 MB
_PAGES = 5  # read at a time; ListGrants has a quota as well


class BacklogListing:
    """Whether there is a backlog, and which of its grants ListGrants has shown. For one thread."""

    def __init__(self, broker: ExpiryBroker, workers: Executor) -> None:
        self._broker, self._workers = broker, workers
        self._behind = False
        self._listed: dict[tuple[str, str], ListedGrant] = {}
        self._markers: dict[str, str | None] = {}
        self._finished: set[str] = set()
        self._reading: Future[None] | None = None

    def is_behind(self, due: Sequence[AgendaEntry]) -> bool:
        """Whether both ways are needed: from when there is a backlog until it is cleared."""
        rate, now = self._broker.settings.end_rate, self._broker.clock().timestamp()
        if len(due) <= rate:
            self._behind = False
        elif len(due) > rate * NEXT_RUN or now - min(each.due for each in due) > _LATEST.total_seconds():
            self._behind = True
        return self._behind

    def find(self, entry: AgendaEntry) -> ListedGrant | None:
        """Find what ListGrants showed of an entry's grant."""
        return self._listed.get((entry.key_arn or "", entry.grant_id or ""))

    def take(self, entry: AgendaEntry) -> ListedGrant | None:
        """Take it away as well: if RevokeGrant fails, the next attempt is RetireGrant's."""
        return self._listed.pop((entry.key_arn or "", entry.grant_id or ""), None)

    def read_on(self, due: Sequence[AgendaEntry]) -> None:
        """List more of the key that has most due of which nothing is shown yet, unless that is under way."""
        if self._reading is not None and not self._reading.done():
            return
        keys = Counter(
            each.key_arn for each in due if each.key_arn not in self._finished and self.find(each) is None
        )
        if keys:
            [(key_arn, _)] = keys.most_common(1)
            wanted = frozenset(each.grant_id for each in due if each.key_arn == key_arn)
            self._reading = self._workers.submit(self._read, str(key_arn), wanted)

    def _read(self, key_arn: str, wanted: Collection[str | None]) -> None:
        """Read some pages, but no more than bring what ends in a second.

        What is ours and neither overdue nor wanted is kept as well, up to a bound: after a mass revocation
        all of a key's grants fall due within a minute, long before their time, a window of them at once.
        """
        found = 0
        for _ in range(_PAGES):
            try:
                grants, marker = self._broker.kms.list_grants_page(key_arn, marker=self._markers.get(key_arn))
            except KmsUncertain:
                return  # the next second tries again
            except (KmsRefused, GrantNotFound):
                _LOG.warning("a key with a backlog cannot be listed", extra={"key": key_arn})
                self._finished.add(key_arn)
                return
            ours = [grant for grant in grants if self._is_ours(grant)]
            due = [grant for grant in ours if self._is_overdue(grant) or grant.grant_id in wanted]
            kept = ours if len(self._listed) < _MOST_LISTED else due
            self._listed.update({(grant.key_arn, grant.grant_id): grant for grant in kept})
            self._markers[key_arn], found = marker, found + len(due)
            if marker is None:
                self._finished.add(key_arn)
            if marker is None or found >= self._broker.settings.end_rate:
                return

    def _is_ours(self, grant: ListedGrant) -> bool:
        return grant.retiring_principal == self._broker.settings.retiring_principal

    def _is_overdue(self, grant: ListedGrant) -> bool:
        return grant.expiry is not None and grant.expiry <= self._broker.clock()
