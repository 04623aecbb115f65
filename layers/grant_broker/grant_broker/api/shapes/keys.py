"""Managed keys: their limits, changes of these, and the broker's checks of its own rights."""

from typing import Annotated, Literal, TypedDict

from grant_broker.api.shapes.requests import MayDecide
from grant_broker.api.vocabulary import (
    Account,
    CheckResult,
    ContextMatch,
    Duration,
    Function,
    KeyArn,
    Keywords,
    Time,
)


class BreakGlassLimits(TypedDict):
    """Who may take a short grant at once, for how long, and how often a day (UTC)."""

    principals: list[str]
    max_duration: Duration
    per_day: int


class Limits(TypedDict):
    """A key's limits. A field that has one value only does nothing yet."""

    key_arn: KeyArn
    name: str
    operations: list[str]
    max_duration: Duration
    max_continuous: Annotated[Duration | None, Keywords(description="null: as `max_duration`.")]
    required_context: dict[str, str]
    context_match: ContextMatch
    accounts: list[Account]
    requesters: Annotated[
        list[str] | None, Keywords(description="Roles and users; null: anybody of the accounts.")
    ]
    approvers: Annotated[
        list[str] | None, Keywords(description="Unique ids of roles; null: the stack's list.")
    ]
    quorum: Annotated[int, Keywords(minimum=1, maximum=10)]
    margin: Annotated[
        Duration,
        Keywords(description="How long before their `expires_at` its grants are ended; `PT0S`: not."),
    ]
    break_glass: Annotated[BreakGlassLimits | None, Keywords(description="null: nobody may.")]
    review_every: Annotated[
        Duration | None, Keywords(description="How often somebody must sign it off, in days; null: never.")
    ]
    notify: Literal["exceptions", "all"]
    ticket_hook: Annotated[
        str | None, Keywords(description="ARN of the Lambda function that is asked whether a ticket stands.")
    ]
    end_unused_after: None


class Key(Limits):
    """A key's limits as they are. What GET answers may be sent back by PUT, which reads no `may_decide`."""

    may_decide: MayDecide


Fields = Annotated[list[str], Keywords(description="Names of fields; one may both widen and narrow.")]


class ChangedKey(Key):
    """A key's limits after a change, with the fields by which it allows more and less than before."""

    widened: Fields
    narrowed: Fields


class Votes(TypedDict):
    """The votes for exactly this document that count so far, how many it takes, and what it would change."""

    votes: Annotated[int, Keywords(minimum=0)]
    quorum: Annotated[int, Keywords(minimum=1)]
    widened: Fields
    narrowed: Fields


class Proposal(Votes):
    """A document that some have voted for. To vote for it, PUT it."""

    document: Limits
    proposed_at: Time
    lapses_at: Annotated[Time, Keywords(description="From then on its votes do not count any more.")]


class KeyCheck(TypedDict):
    """What one function found when it last checked its own right on the key."""

    function: Function
    result: Annotated[CheckResult | None, Keywords(description="null: never checked, or nothing certain.")]
    at: Time | None
    missing: Annotated[list[str], Keywords(description="In words, what it lacks.")]
    next_at: Annotated[Time | None, Keywords(description="When it checks next; null on a closed key.")]


class KeyChecks(TypedDict):
    """Whether the broker could create and end grants on a key when it last tried."""

    grantable: Annotated[
        bool | None,
        Keywords(
            description="false: submissions are refused with 409. null: not known, and no reason to refuse."
        ),
    ]
    checks: list[KeyCheck]
