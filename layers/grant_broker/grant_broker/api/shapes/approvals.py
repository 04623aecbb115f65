"""Standing approvals."""

from typing import Annotated, TypedDict

from grant_broker.api.shapes.requests import MayDecide
from grant_broker.api.shapes.third_parties import Vote
from grant_broker.api.vocabulary import (
    Account,
    ContextMatch,
    Duration,
    Id,
    KeyArn,
    Keywords,
    LocalTime,
    Time,
    Weekday,
)

WindowShown = TypedDict(
    "WindowShown",
    {
        "days": Annotated[list[Weekday], Keywords(description="Those on which it begins.")],
        "from": LocalTime,
        "to": Annotated[LocalTime, Keywords(description="On the next day where it is no later than `from`.")],
        "time_zone": Annotated[str, Keywords(description="Of the IANA database.")],
    },
)
WindowShown.__doc__ = "Hours of some days, by the clocks of a time zone; a grant starts and ends within them."


class Approval(TypedDict):
    """A standing approval as it is."""

    id: Id
    status: Annotated[str, Keywords(enum=("pending", "active", "withdrawn", "expired"))]
    key: KeyArn
    account: Account
    grantee: str | None
    operations: list[str]
    encryption_context: dict[str, str]
    context_match: ContextMatch
    max_duration: Duration
    valid_from: Time
    valid_until: Time
    windows: Annotated[list[WindowShown] | None, Keywords(description="null: at any time.")]
    reason: str
    decisions: list[Vote]
    created_at: Time
    may_decide: MayDecide
