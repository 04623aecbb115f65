"""Accounts that are named."""

from typing import Annotated, TypedDict

from grant_broker.api.vocabulary import (
    Account,
    Keywords,
)


class NamedAccount(TypedDict):
    """What the security team says of an account."""

    account: Account
    name: str
    contact: Annotated[str | None, Keywords(description="Whom to ask.")]
    event_bus: Annotated[
        str | None, Keywords(description="ARN of the account's bus that its own requests' events go to.")
    ]
