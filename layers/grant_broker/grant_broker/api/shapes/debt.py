"""What falls due, and how late it would come."""

from typing import Annotated, TypedDict

from grant_broker.api.vocabulary import (
    Keywords,
    Time,
)


class Due(TypedDict):
    """How many grants fall due in the minute or the hour that begins then."""

    at: Time
    due: int


class Debt(TypedDict):
    """What falls due: per minute for an hour, per hour for a day, from the present minute on."""

    at: Time
    end_rate: Annotated[int, Keywords(description="Grants that are ended a second, at most.")]
    debt_seconds: Annotated[
        int,
        Keywords(description="The longest that any of them will wait for its end, at that rate; 0: none."),
    ]
    overdue: Annotated[int, Keywords(description="Whose time is over, and that are not ended yet.")]
    believed: Annotated[
        bool,
        Keywords(
            description="false: no live grants stand behind many of these, so nobody is refused for them."
        ),
    ]
    minutes: list[Due]
    hours: list[Due]
