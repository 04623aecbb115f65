"""Whether the ticket of a request stands: what an operator's function is asked, and what it answers."""

import json
from typing import Literal, NamedTuple, TypeAlias, TypedDict

from grant_broker.domain.request import GrantRequest
from grant_broker.domain.texts import fault_in
from grant_broker.domain.times import format_duration, format_time_or_none

VERSION = "1"
_LONGEST_REASON = 300
Moment: TypeAlias = Literal["submission", "take_up"]
"""When it is asked: before a request is stored, and again before its grant is made."""


class TicketQuestion(TypedDict):
    """What the function is sent, as JSON. Fields may be added within a version, none is taken away."""

    version: str
    moment: Moment
    ticket: str
    request_id: str
    account: str
    requester: str
    grantee: str
    key: str
    operations: list[str]
    encryption_context: dict[str, str]
    context_match: str
    duration: str
    starts_at: str | None
    reason: str


class TicketAnswer(NamedTuple):
    """What the function said: whether the ticket stands for this request, and why not."""

    stands: bool
    reason: str | None = None


def ticket_question(request: GrantRequest, ticket: str, moment: Moment) -> TicketQuestion:
    """What to ask of a request."""
    return {
        "version": VERSION,
        "moment": moment,
        "ticket": ticket,
        "request_id": request.id,
        "account": request.account,
        "requester": request.requester_arn,
        "grantee": request.grantee,
        "key": request.key_arn,
        "operations": list(request.scope.operations),
        "encryption_context": dict(request.scope.encryption_context),
        "context_match": request.scope.context_match.value,
        "duration": format_duration(request.duration),
        "starts_at": format_time_or_none(request.starts_at),
        "reason": request.reason,
    }


def read_answer(text: bytes) -> TicketAnswer:
    """The answer in what a function returned; ValueError where there is none.

    `stands` is true or false and nothing else: what is only like a yes is none. `reason` is shown to the
    requester, as far as nothing in it hides or reorders text.
    """
    found = json.loads(text)
    if not isinstance(found, dict) or not isinstance(found.get("stands"), bool):
        raise ValueError("no JSON object with `stands`, true or false")  # noqa: TRY004 - as for no JSON at all
    reason = found.get("reason")
    shown = reason[:_LONGEST_REASON] if isinstance(reason, str) and not fault_in(reason) else None
    return TicketAnswer(found["stands"], shown or None)
