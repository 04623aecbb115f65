"""What an account's own bus is told of its own requests: a published, versioned form, and what to do next.

Within a version fields may be added, and none is taken away or comes to mean another thing. Nothing is told
that the account could not read with `GET /requests/{id}`: a field that is not listed here stays at home, and
so does an event of a type that is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from grant_broker.domain.arns import ACCOUNT
from grant_broker.domain.texts import is_id
from grant_broker.domain.times import format_time
from grant_broker.domain.trail import Event

VERSION = "1"
_SUBMITTED = (
    "requester",
    "grantee",
    "key",
    "operations",
    "encryption_context",
    "context_match",
    "duration",
    "starts_at",
    "reason",
    "ticket",
    "extends",
    "answer_by",
    "approval",
)
_VOTE = ("verdict", "comment", "duration")
_HELD = ("grantee", "key")


@dataclass(frozen=True)
class _Kind:
    """A type of event: the fields of its detail that are told, and what its account does next."""

    fields: tuple[str, ...]
    next: str


_AGAIN = "Submit again with POST /requests if it is still needed."
_KINDS: Mapping[str, _Kind] = {
    "submitted": _Kind(
        _SUBMITTED,
        "Wait for the security team until answer_by, or take it up at once if approval is set: "
        "GET /requests/{id} shows how it stands.",
    ),
    "voted": _Kind(_VOTE, "Wait: the key takes more votes. GET /requests/{id} shows how it stands."),
    "approved": _Kind(
        (*_VOTE, "take_up_by"),
        "Take it up until take_up_by with POST /requests/{id}/grant: its time starts then.",
    ),
    "denied": _Kind(_VOTE, "Read the comment, and submit again what can be approved with POST /requests."),
    "withdrawn": _Kind(("reason",), _AGAIN),
    "lapsed": _Kind(("reason",), _AGAIN),
    "active": _Kind(
        (*_HELD, "grant_id", "expires_at"),
        "Use it until expires_at. In the first minutes use it with its grant token, which GET /requests/{id} "
        "shows to its requester and its grantee; DELETE /requests/{id}/grant gives it back.",
    ),
    "expiring_soon": _Kind(
        (*_HELD, "expires_at", "ends_at"),
        "Finish by ends_at, or ask for more time now with POST /requests/{id}/extension.",
    ),
    "ending": _Kind(("reason",), "Stop using the grant: it ends now."),
    "expired": _Kind((*_HELD, "reason"), _AGAIN),
    "released": _Kind((*_HELD, "reason"), "Nothing: the grant is given back."),
    "revoked": _Kind((*_HELD, "reason"), "Ask the security team why, before you submit again."),
    "failed": _Kind(
        ("reason",), "Submit again with POST /requests; if it fails again, ask the security team."
    ),
}


TYPES = tuple(_KINDS)
# Whoever validates by the document of this version must not stumble over what is added to it later.
_PUBLISHED = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class PartnerDetail(BaseModel):
    """What the event tells of the request. Every field is always there; what it does not tell is null."""

    model_config = _PUBLISHED

    requester: str | None = None
    grantee: str | None = None
    key: str | None = None
    operations: list[str] | None = None
    encryption_context: dict[str, str] | None = None
    context_match: str | None = None
    duration: str | None = None
    starts_at: str | None = None
    reason: str | None = None
    ticket: str | None = None
    extends: str | None = None
    answer_by: str | None = None
    take_up_by: str | None = None
    approval: str | None = None
    verdict: str | None = None
    comment: str | None = None
    grant_id: str | None = None
    expires_at: str | None = None
    ends_at: Annotated[
        str | None,
        Field(description="When it is ended: by the key's margin before expires_at."),
    ] = None


class PartnerEvent(BaseModel):
    """An event of a request, as the bus of the request's account gets it in `detail`."""

    model_config = _PUBLISHED

    version: Literal["1"]
    id: Annotated[str, Field(description="The event's own: an event that comes twice has it twice.")]
    at: Annotated[str, Field(description="RFC 3339, UTC.")]
    type: Annotated[str, Field(examples=list(TYPES), description="Others may come: leave them be.")]
    request_id: str
    account: Annotated[str, Field(pattern="^[0-9]{12}$")]
    by: Annotated[str, Field(description="Who made it happen: a caller's ARN, or a function's name.")]
    detail: PartnerDetail
    next: Annotated[str, Field(description="What to do next.")]


def find_account(event: Event) -> str | None:
    """Find the account that an event is of; None where it tells none.

    Whoever took a function over may write anything: nothing but the id of an account is ever looked up.
    """
    account = event.detail.get("account")
    return account if isinstance(account, str) and ACCOUNT.fullmatch(account) else None


def find_account_told(event: Event) -> str | None:
    """Find the account whose bus is to be told of an event; None where nobody's is."""
    of_request = event.request_id is not None and is_id(event.request_id) and event.type in _KINDS
    return find_account(event) if of_request else None


def partner_event(event: Event, account: str) -> PartnerEvent:
    """An event for its account's bus. ValueError where what it tells has another form: nobody knows it."""
    kind = _KINDS[event.type]
    detail = {name: event.detail[name] for name in kind.fields if name in event.detail}
    return PartnerEvent.model_validate(
        {
            "version": VERSION,
            "id": event.id,
            "at": format_time(event.at),
            "type": event.type,
            "request_id": event.request_id,
            "account": account,
            "by": event.by,
            "detail": detail,
            "next": kind.next.replace("{id}", str(event.request_id)),
        },
        strict=True,
    )
