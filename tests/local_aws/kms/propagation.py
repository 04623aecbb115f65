"""How grants and their ends spread through KMS: not at once, as AWS documents it."""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.local_aws.kms.grants import Grant, KeyGrants

AT_ONCE = timedelta(0)


@dataclass
class Propagation:
    """For how long KMS does not know what was done; AWS says: seconds as a rule, at most five minutes.

    A new grant is neither listed nor found by its id, and counts for calls that pass its token alone. An
    ended one is not found by its id any more, but is still listed, and allows what it allowed.
    (https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-eventual-consistency)
    """

    clock: Callable[[], datetime]
    of_grants: timedelta = AT_ONCE
    of_ends: timedelta = AT_ONCE
    _ended: deque[tuple[datetime, KeyGrants, Grant]] = field(default_factory=deque)

    def knows(self, grant: Grant, passed: Collection[str] = ()) -> bool:
        """Whether a grant has spread, or the call carries its token; `passed` are ids of such grants."""
        if not self.of_grants or grant.grant_id in passed:
            return True
        created = float(grant.shown["CreationDate"])
        return self.clock().timestamp() >= created + self.of_grants.total_seconds()

    def note_end(self, key: KeyGrants, grant: Grant) -> None:
        """Take note of an end."""
        self._ended.append((self.clock() + self.of_ends, key, grant))

    def take_forgotten(self) -> list[tuple[KeyGrants, Grant]]:
        """The ended grants that KMS forgets by now, each given once."""
        found = []
        while self._ended and (not self.of_ends or self._ended[0][0] <= self.clock()):
            _, key, grant = self._ended.popleft()
            found.append((key, grant))
        return found
