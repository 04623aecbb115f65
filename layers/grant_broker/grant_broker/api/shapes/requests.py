"""Requests as approvers see them: with what was found out, votes, other grants and their trail."""

from typing import Annotated, TypedDict

from grant_broker.api.shapes.events import Event
from grant_broker.api.shapes.third_parties import RequestShown
from grant_broker.api.shapes.usage import KeyLastUsed
from grant_broker.api.vocabulary import (
    ContextMatch,
    Id,
    Keywords,
    Known,
    OwnWords,
    Time,
)
from grant_broker.domain.lifecycle import Status


class Finding(TypedDict):
    """An answer that was found out, and how."""

    answer: Known
    reason: str


class Preflight(TypedDict):
    """What was found out when the request was submitted."""

    at: Time
    has_access: Annotated[
        Finding, Keywords(description="Whether the key policy gives the grantee this already.")
    ]
    grantee_accepted: Annotated[Finding, Keywords(description="Whether KMS accepts the grantee.")]
    key_usable: Annotated[Finding, Keywords(description="Whether the key's state allows the grant.")]
    can_create: Annotated[Finding, Keywords(description="Whether the broker may create it.")]
    can_end: Annotated[
        Finding, Keywords(description="Whether the broker may end it, other than by retiring.")
    ]


class VoteCount(TypedDict):
    """How many votes there are that count, and how many it takes."""

    given: int
    needed: Annotated[int | None, Keywords(description="null where the key is not registered.")]


class OtherGrant(TypedDict):
    """Another live grant of the same grantee on the same key, by the id of its request."""

    id: Id
    status: Status
    operations: list[str]
    encryption_context: dict[str, str]
    context_match: ContextMatch
    expires_at: Time


MayDecide = Annotated[
    bool,
    Keywords(description="Whether the caller may decide: an approver of the key, and no party to it."),
]


class BrokenGlass(TypedDict):
    """That a request was granted by break-glass."""

    by: str
    reason: Annotated[str, OwnWords]
    at: Time


class RequestSeen(RequestShown):
    """A request as approvers see it."""

    preflight: Preflight | None
    votes: VoteCount
    others: Annotated[list[OtherGrant], Keywords(description="At most 50, those that last longest first.")]
    may_decide: MayDecide
    broken_glass: BrokenGlass | None


class RequestWithTrail(RequestSeen):
    """A request as approvers see it, with its audit events, in order."""

    trail: list[Event]
    key_last_used: KeyLastUsed
