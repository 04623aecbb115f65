"""Which limits of a key were in force at a moment: by versions that `approvals` alone can write."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.keys import Key
from grant_broker.domain.times import Time


class LimitsVersion(BaseModel):
    """A key's limits from one moment on; `withdrawn_at` where it was closed then. Never changed once written.

    It stands in the approval table beside the key itself. The events of a key tell the same, but they are in
    the request table, where others write too.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    """The key's `limits_version`."""
    since: Time
    document: KeyDocument
    withdrawn_at: Time | None = None

    @classmethod
    def of(cls, key: Key, since: datetime) -> "LimitsVersion":
        """The limits that a key has now, in force since a moment."""
        return cls(
            number=key.limits_version, since=since, document=key.document, withdrawn_at=key.withdrawn_at
        )

    @property
    def key(self) -> Key:
        """The key as it was."""
        return Key(
            document=self.document,
            created_at=self.since,
            withdrawn_at=self.withdrawn_at,
            limits_version=self.number,
        )


def in_force(versions: Sequence[LimitsVersion], earliest: datetime, latest: datetime) -> list[Key]:
    """The limits in force at any time of a span, the latest last; none where no version is known of it.

    `versions` are in the order of their numbers.
    """
    spans = [(one, following.since) for one, following in pairwise(versions)]
    past = [one.key for one, until in spans if one.since <= latest and until > earliest]
    return past + [last.key for last in versions[-1:] if last.since <= latest]
