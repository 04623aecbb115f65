"""Reviews of what somebody else did."""

from typing import Annotated, TypedDict

from grant_broker.api.vocabulary import (
    Account,
    KeyArn,
    Keywords,
    OwnWords,
    Time,
)


class SignOff(TypedDict):
    """Who looked, and what was found."""

    by: str
    comment: Annotated[str, OwnWords]
    at: Time


class Review(TypedDict):
    """A review that is owed, or was signed off."""

    kind: Annotated[str, Keywords(enum=("break-glass", "key", "approval", "account"))]
    id: Annotated[str, Keywords(description="Of a break-glass its request's.")]
    key: KeyArn | None
    account: Account | None
    by: Annotated[str, Keywords(description="Who did what is to be looked at.")]
    about: Annotated[str, OwnWords]
    since: Time
    may_decide: Annotated[bool, Keywords(description="Whether the caller may sign it off.")]
    signed_off: SignOff | None
