"""What the methods of the client are given, as types."""

from typing import NotRequired, Required, TypedDict

from grant_broker.client.durations import Span


class Submission(TypedDict, total=False):
    """What to ask for. `grantee` is the caller where it is left out.

    `duration` is a text such as 2h, a timedelta, or a number of seconds.
    """

    key: Required[str]
    grantee: NotRequired[str]
    operations: Required[list[str]]
    encryption_context: Required[dict[str, str]]
    context_match: str
    duration: Required[Span]
    starts_at: str | None
    reason: Required[str]
    ticket: str | None


class Question(TypedDict, total=False):
    """A call to KMS to explain: `principal` is the grantee, and `at` now, where they are left out.

    `context` is what the call sent, {} for nothing; None where that is not known.
    """

    action: Required[str]
    context: Required[dict[str, str] | None]
    principal: str
    at: str
    size: int
    error: str


class RequestFilters(TypedDict, total=False):
    """Which requests; None: any."""

    status: str | None
    key: str | None
    account: str | None
    grantee: str | None
    requester: str | None
    since: str | None
    order: str | None


class EventFilters(TypedDict, total=False):
    """Which events; None: any."""

    request: str | None
    key: str | None
    account: str | None
    type: str | None
    by: str | None
    since: str | None
    until: str | None
    order: str | None


Window = TypedDict("Window", {"days": list[str], "from": str, "to": str, "time_zone": str})
Window.__doc__ = "Hours of some days by the clocks of a time zone, on the next day where `to` is no later."


class StandingApproval(TypedDict, total=False):
    """What to approve ahead. `grantee` None: any of the account."""

    key: Required[str]
    account: Required[str]
    grantee: str | None
    operations: Required[list[str]]
    encryption_context: Required[dict[str, str]]
    context_match: str
    max_duration: Required[str]
    valid_from: NotRequired[str]
    valid_until: Required[str]
    windows: NotRequired[list[Window] | None]
    reason: Required[str]


class MassRevocationAsked(TypedDict, total=False):
    """What to revoke; all selectors that are given must match. `block_for` None: until it is lifted."""

    key: str | None
    account: str | None
    grantee: str | None
    all: bool | None
    reason: Required[str]
    block_for: str | None
