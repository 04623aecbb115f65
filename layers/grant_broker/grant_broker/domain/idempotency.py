"""What makes a repeated POST the same one."""

import hashlib
from typing import NamedTuple

from grant_broker.domain.errors import Conflict


class Idempotency(NamedTuple):
    """The caller's Idempotency-Key, None where none was sent, and a digest of the body."""

    key: str | None
    body_digest: str

    @property
    def mark(self) -> str | None:
        """What a vote keeps of the call that cast it, to know it again."""
        return f"{self.key}:{self.body_digest}" if self.key else None

    def id_for(self, *, account: str, person: str, route: str, new_id: str) -> str:
        """The id of what is created: the same for the same key, person and route; `new_id` without a key."""
        if self.key is None:
            return new_id
        # An ordinary role's person is the account and the role's unique id: the account is said once.
        text = "\n".join((account, person.removeprefix(f"{account}:"), route, self.key))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def ensure_same_body(stored: str, sent: str) -> None:
    """Conflict where a repeat sends another body than the first call; both are digests."""
    if stored != sent:
        raise Conflict("this idempotency key was used for another body")
