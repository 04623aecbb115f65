"""Keep each version of a key's limits, so that a grant is judged by those that held when it was made."""

from datetime import datetime

from grant_broker.aws.dynamodb import Write
from grant_broker.aws.limits_versions import LimitsVersions
from grant_broker.aws.store import Store
from grant_broker.domain.keys import Key
from grant_broker.domain.limits_in_force import LimitsVersion


def keep_limits(store: Store, before: Key | None, after: Key, at: datetime) -> list[Write]:
    """Make the writes, for the transaction that changes a key, that keep what holds from that moment on.

    What held before is kept as well where it is not yet, as for a key that an earlier release registered:
    from the key's beginning, since nobody knows when it came to hold.
    """
    versions = [LimitsVersion.of(after, at)]
    if before:
        known = LimitsVersion.of(before, before.created_at)
        versions += [] if LimitsVersions(store.tables).has(known) else [known]
    return [LimitsVersions(store.tables).keep(version) for version in versions]
