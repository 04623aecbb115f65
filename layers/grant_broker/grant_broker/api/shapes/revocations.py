"""Mass revocations."""

from typing import Annotated, TypedDict

from grant_broker.api.vocabulary import (
    Account,
    Id,
    KeyArn,
    Keywords,
    Time,
)


class MassRevocationMade(TypedDict):
    """That a mass revocation was stored, and how many live grants and open requests it is known to match."""

    id: Id
    matched: int


class MassRevocation(TypedDict):
    """A mass revocation: what it selects, how far it is, and what it blocks. All selectors must match."""

    id: Id
    key: KeyArn | None
    account: Account | None
    grantee: str | None
    all: Annotated[bool, Keywords(description="Whether it is about everything.")]
    approval: Annotated[
        Id | None,
        Keywords(description="The standing approval whose withdrawal it is part of: then it blocks nothing."),
    ]
    reason: str
    by: str
    created_at: Time
    matched: Annotated[int, Keywords(description="Live grants, and requests pending or approved.")]
    ended: Annotated[int, Keywords(description="Cancelled requests included.")]
    left: Annotated[int, Keywords(description="What a second look after a minute finds is not counted.")]
    finished_at: Annotated[Time | None, Keywords(description="When the second look was over.")]
    blocked_until: Annotated[Time | None, Keywords(description="null: until it is lifted.")]
    lifted_at: Time | None
