"""When a key was last used, by whomever, as KMS itself keeps it (GetKeyLastUsage)."""

from datetime import datetime
from typing import NamedTuple


class LastUse(NamedTuple):
    """A key's last successful cryptographic operation, whoever made it.

    Without `operation`, `at` and `event_id` KMS has seen none since `since`, when it began to look or the key
    was made; what was before that, CloudTrail's logs alone tell. `event_id` is CloudTrail's.
    """

    since: datetime | None
    operation: str | None = None
    at: datetime | None = None
    event_id: str | None = None
