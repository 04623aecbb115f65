"""Third parties: their requests and grants, what they may ask for, and every refusal."""

from typing import Annotated, Any, Generic, Literal, NotRequired, TypedDict, TypeVar

from grant_broker.api.shapes.usage import SeenUse
from grant_broker.api.vocabulary import (
    ContextMatch,
    Cursor,
    Duration,
    Id,
    KeyArn,
    Keywords,
    OwnWords,
    Time,
    Verdict,
)
from grant_broker.domain.cause import Cause
from grant_broker.domain.lifecycle import Status

T = TypeVar("T")


class Requester(TypedDict):
    """Who asked."""

    arn: Annotated[str, Keywords(description="`unknown` for a grant that was found without a record.")]
    account: str


class Vote(TypedDict):
    """One person's decision."""

    by: str
    verdict: Verdict
    comment: str
    duration: Annotated[Duration | None, Keywords(description="What the vote shortened it to.")]
    at: Time


class GrantFields(TypedDict):
    """What every view of a grant has."""

    grant_id: str
    issued_at: Time | None
    expires_at: Time | None
    ends_at: Annotated[
        Time | None,
        Keywords(description="When the broker ends it: by the key's `margin` before `expires_at`."),
    ]
    spread_by: Annotated[
        Time | None,
        Keywords(description="Until then KMS may refuse the grantee, but with the grant's token."),
    ]


class GrantShown(GrantFields):
    """A grant, its token hidden."""

    grant_token: None


class Grant(GrantFields):
    """A grant as its parties see it; the token while it lives, for KMS calls within the next minutes."""

    grant_token: str | None


class RequestFields(TypedDict):
    """What every view of a request has."""

    id: Id
    status: Status
    requester: Requester
    grantee: str
    key: KeyArn
    operations: list[str]
    encryption_context: dict[str, str]
    context_match: ContextMatch
    duration: Annotated[
        Duration, Keywords(description="What would be granted by now: of several votes the shortest wins.")
    ]
    asked_duration: Annotated[Duration, Keywords(description="As submitted.")]
    starts_at: Time | None
    reason: Annotated[str, OwnWords]
    ticket: Annotated[str | None, OwnWords]
    extends: Id | None
    created_at: Time
    answer_by: Time | None
    take_up_by: Time | None
    expires_at: Time | None
    ended_at: Time | None
    end_reason: str | None
    absent_at: Annotated[Time | None, Keywords(description="When KMS was seen not to list it any more.")]
    safe_after: Annotated[
        Time | None, Keywords(description="From then on KMS lets nobody use the grant any more.")
    ]
    decisions: list[Vote]
    approval: Annotated[Id | None, Keywords(description="The standing approval that covered it.")]
    usage: SeenUse
    warnings: Annotated[
        list[str], Keywords(description="What makes the grant impossible, needless or less than it seems.")
    ]


class Request(RequestFields):
    """A request as its requester and its grantee see it."""

    grant: Grant | None


class RequestShown(RequestFields):
    """A request as others see it, and in lists: never with the grant's token."""

    grant: GrantShown | None


class Forecast(TypedDict):
    """What submitting this would lead to, and why; nothing was stored."""

    outcome: Literal["grant", "wait_for_approval", "refuse"]
    reasons: list[str]


class Explanation(TypedDict):
    """Why KMS allows or refuses a call: one cause, one sentence, one next step."""

    verdict: Cause
    because: str
    next: str


class Offer(TypedDict):
    """What the caller's account may ask for on a key."""

    key_arn: KeyArn
    name: str
    operations: list[str]
    max_duration: Duration
    required_context: dict[str, str]
    context_match: ContextMatch


class Contract(TypedDict):
    """An OpenAPI 3.1 document: what the caller may call. `servers` has the base path that was called."""

    openapi: str
    info: dict[str, Any]
    servers: list[dict[str, str]]
    security: list[dict[str, list[str]]]
    tags: list[dict[str, str]]
    paths: dict[str, Any]
    components: dict[str, Any]


class Page(TypedDict, Generic[T]):
    """A page of a list."""

    items: list[T]
    cursor: Cursor


class Fault(TypedDict):
    """One thing wrong with what was sent."""

    field: str
    message: str


class Problem(TypedDict):
    """Why not (RFC 9457). `code` is for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str
    code: Annotated[
        str,
        Keywords(
            enum=(
                "invalid_request",
                "not_permitted",
                "not_found",
                "conflict",
                "precondition_failed",
                "too_large",
                "too_many_requests",
                "unavailable",
            )
        ),
    ]
    errors: list[Fault]
    durations: NotRequired[
        Annotated[
            list[Duration],
            Keywords(description="Near ones that fit, where too many grants would end at the same time."),
        ]
    ]
    blocked_until: NotRequired[
        Annotated[
            Time | None,
            Keywords(description="Until when the security team has blocked this; null: until it lifts that."),
        ]
    ]
