"""What the API answers, as models: for the OpenAPI document alone, which tests hold the answers to."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from grant_broker.domain.approvals import Verdict
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.scope import ContextMatch

T = TypeVar("T")
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Account = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
KeyArn = Annotated[str, Field(pattern=r"^arn:aws:kms:[a-z0-9-]{1,32}:[0-9]{12}:key/[A-Za-z0-9-]{1,64}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Duration = Annotated[
    str,
    Field(
        pattern=r"^P(?:[0-9]+D)?(?:T(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?)?$",
        examples=["PT2H"],
        description="ISO 8601, normalised.",
    ),
]
Time = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z$",
        examples=["2026-01-31T09:30:00Z"],
        description="RFC 3339, UTC.",
    ),
]


class Shape(BaseModel):
    """Every field is always there, and no other is."""

    model_config = ConfigDict(extra="forbid")


class Requester(Shape):
    """Who asked."""

    arn: Annotated[str, Field(description="`unknown` for a grant that was found without a record.")]
    account: str


class Vote(Shape):
    """One person's decision."""

    by: str
    verdict: Verdict
    comment: str
    at: Time


class _Grant(Shape):
    grant_id: str
    issued_at: Time | None
    expires_at: Time | None


class GrantShown(_Grant):
    """A grant, its token hidden."""

    grant_token: None


class Grant(_Grant):
    """A grant as its parties see it; the token while it lives, for KMS calls within the next minutes."""

    grant_token: str | None


class _Request(Shape, Generic[T]):
    id: Id
    status: Status
    requester: Requester
    grantee: str
    key: KeyArn
    operations: list[str]
    encryption_context: dict[str, str]
    context_match: ContextMatch
    duration: Duration
    starts_at: Time | None
    reason: Annotated[str, Field(description="The requester's own words: not to be trusted.")]
    ticket: Annotated[str | None, Field(description="The requester's own words: not to be trusted.")]
    extends: Id | None
    created_at: Time
    answer_by: Time | None
    take_up_by: Time | None
    expires_at: Time | None
    ended_at: Time | None
    end_reason: str | None
    decisions: list[Vote]
    approval: Annotated[Id | None, Field(description="The standing approval that covered it.")]
    grant: T | None


class RequestShown(_Request[GrantShown]):
    """A request as lists and the security team see it: never with the grant's token."""


class Request(_Request[Grant]):
    """A request as its requester and its grantee see it."""


class Foreseen(Shape):
    """What submitting this would lead to, and why; nothing was stored."""

    outcome: Literal["grant", "wait_for_approval", "refuse"]
    reasons: list[str]


class Event(Shape):
    """One audit event."""

    id: str
    at: Time
    type: str
    request_id: Id | None
    by: str
    detail: dict[str, Any]
    hash: Hash


class Finding(Shape):
    """An answer that was found out, and how."""

    answer: Literal["yes", "no", "unknown"]
    reason: str


class Preflight(Shape):
    """What was found out when the request was submitted."""

    at: Time
    has_access: Annotated[
        Finding, Field(description="Whether the key policy gives the grantee this already.")
    ]
    grantee_accepted: Annotated[Finding, Field(description="Whether KMS accepts the grantee.")]
    key_usable: Annotated[Finding, Field(description="Whether the key's state allows the grant.")]
    can_create: Annotated[Finding, Field(description="Whether the broker may create it.")]
    can_end: Annotated[Finding, Field(description="Whether the broker may end it, other than by retiring.")]


class RequestWithTrail(RequestShown):
    """A request with its audit events, in order."""

    preflight: Preflight | None

    trail: list[Event]


class Offer(Shape):
    """What the caller's account may ask for on a key."""

    key_arn: KeyArn
    name: str
    operations: list[str]
    max_duration: Duration
    required_context: dict[str, str]
    context_match: ContextMatch


class Key(Shape):
    """A key's limits as they are."""

    key_arn: KeyArn
    name: str
    operations: list[str]
    max_duration: Duration
    max_continuous: Duration
    required_context: dict[str, str]
    context_match: ContextMatch
    accounts: list[Account]
    quorum: Annotated[int, Field(ge=1, le=10)]


class Votes(Shape):
    """The votes for exactly this document so far, and how many it takes."""

    votes: Annotated[int, Field(ge=1)]
    quorum: Annotated[int, Field(ge=1)]


class Approval(Shape):
    """A standing approval as it is."""

    id: Id
    status: Literal["pending", "active", "withdrawn", "expired"]
    key: KeyArn
    account: Account
    grantee: str | None
    operations: list[str]
    encryption_context: dict[str, str]
    context_match: ContextMatch
    max_duration: Duration
    valid_from: Time
    valid_until: Time
    reason: str
    decisions: list[Vote]
    created_at: Time


class Page(Shape, Generic[T]):
    """A page of a list."""

    items: list[T]
    cursor: Annotated[str | None, Field(description="Where the next page starts; null at the end.")]


class Fault(Shape):
    """One thing wrong with what was sent."""

    field: str
    message: str


class Problem(BaseModel):
    """Why not (RFC 9457). `code` is for programs, `detail` for people."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    code: Literal[
        "invalid_request", "not_permitted", "not_found", "conflict", "too_large", "too_many_requests",
        "unavailable",
    ]  # fmt: skip
    errors: list[Fault]
