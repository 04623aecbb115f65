"""That a request was used: its grant has ended, so that nothing covers another one under its id."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.listed_grant import PROPAGATION, ListedGrant
from grant_broker.domain.times import Time, format_time


class Use(BaseModel):
    """When the grant of a request ended, and which grants of it did, as far as their ids were known.

    It is evidence, since of all functions `expiry` alone can write it: whoever forges the request's record
    cannot take it back. `key_arn` is where `expiry` ended them, or found them gone: the record said so, and
    about grants on any other key that proves nothing. None in marks of earlier releases.
    """

    model_config = ConfigDict(frozen=True)

    request_id: str
    at: Time
    key_arn: str | None = None
    grant_ids: tuple[str, ...] = ()

    @classmethod
    def unreadable(cls, request_id: str) -> "Use":
        """What a mark that cannot be read says: used, nobody knows when."""
        return cls(request_id=request_id, at=datetime(1970, 1, 1, tzinfo=UTC))

    def just_ended(self, grant: ListedGrant, now: datetime) -> bool:
        """Whether this very grant ended so lately that KMS may show it still."""
        there = self.key_arn in {None, grant.key_arn} and grant.grant_id in self.grant_ids
        return there and now - self.at < PROPAGATION

    @property
    def fault(self) -> str:
        """Why a grant of the request may not live."""
        return f"its request was used: the grant of it ended at {format_time(self.at)}"
