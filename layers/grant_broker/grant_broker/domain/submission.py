"""What a third party sends to ask for a grant, or for more time with one."""

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.key_document import KeyReference
from grant_broker.domain.people import Grantee
from grant_broker.domain.scope import AskedContext, ContextMatch, Operations, Scope
from grant_broker.domain.texts import Reason, Ticket
from grant_broker.domain.times import Duration, Time

_BESIDES = 8_000
"""Bytes that the broker adds over time: the record's own fields, and the events of a whole life."""


class Submission(BaseModel):
    """What a third party sends to ask for a grant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: KeyReference
    grantee: Grantee
    operations: Operations
    encryption_context: AskedContext
    context_match: ContextMatch = ContextMatch.EQUALS
    duration: Duration
    starts_at: Time | None = None
    reason: Reason
    ticket: Ticket | None = None

    @property
    def stored_size(self) -> int:
        """How many bytes a request of it takes, indexes aside: its record and its first event hold it all."""
        return 2 * len(self.model_dump_json().encode()) + _BESIDES

    @property
    def scope(self) -> Scope:
        """What the grant would allow."""
        return Scope(
            operations=self.operations,
            encryption_context=self.encryption_context,
            context_match=self.context_match,
        )


class Extension(BaseModel):
    """What a third party sends to go on with a grant: the rest is as in the request that it extends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    duration: Duration
    reason: Reason
