"""What third parties see: their requests and grants, forecasts, explanations and offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grant_broker.api.views.usage import usage_view
from grant_broker.domain.cause import Explanation
from grant_broker.domain.keys import Key
from grant_broker.domain.preflight import Forecast
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.times import format_duration, format_time, format_time_or_none
from grant_broker.domain.votes import Vote
from grant_broker.domain.warnings import warnings

if TYPE_CHECKING:
    from grant_broker.api.shapes import third_parties as shapes
    from grant_broker.domain.usage import Usage


def request_view(request: GrantRequest, usage: Usage | None) -> shapes.RequestShown:
    """A Request, without the grant's token; `usage` is what was seen of its use, None where nobody looks."""
    found = _grant_fields(request)
    return {
        **_request_fields(request, usage),
        "grant": {**found, "grant_token": None} if found else None,  # nosec B105 - the token is left out
    }


def party_view(request: GrantRequest, usage: Usage | None) -> shapes.Request:
    """A Request for the requester's person or the grantee: with the grant's token while the grant lives."""
    found = _grant_fields(request)
    token = request.grant_token if request.status.granted else None
    return {**_request_fields(request, usage), "grant": {**found, "grant_token": token} if found else None}


def explanation_view(explanation: Explanation) -> shapes.Explanation:
    """Why KMS allows or refuses a call."""
    return {"verdict": explanation.cause, "because": explanation.because, "next": explanation.next}


def forecast_view(forecast: Forecast) -> shapes.Forecast:
    """What a dry run found."""
    return {"outcome": forecast.outcome, "reasons": list(forecast.reasons)}


def offer_view(key: Key, account: str) -> shapes.Offer:
    """What a third party may ask for on a key; the account in its required context filled in."""
    limits = key.document
    return {
        "key_arn": limits.key_arn,
        "name": limits.name,
        "operations": list(limits.operations),
        "max_duration": format_duration(limits.max_duration),
        "required_context": key.required_context(account),
        "context_match": limits.context_match.value,
    }


def _request_fields(request: GrantRequest, usage: Usage | None) -> shapes.RequestFields:
    return {
        "id": request.id,
        "status": request.status,
        "requester": {"arn": request.requester_arn, "account": request.account},
        "grantee": request.grantee,
        "key": request.key_arn,
        "operations": list(request.scope.operations),
        "encryption_context": dict(request.scope.encryption_context),
        "context_match": request.scope.context_match.value,
        "duration": format_duration(request.shortest),
        "asked_duration": format_duration(request.asked_duration),
        "starts_at": format_time_or_none(request.starts_at),
        "reason": request.reason,
        "ticket": request.ticket,
        "extends": request.extends,
        "created_at": format_time(request.created_at),
        "answer_by": format_time_or_none(request.answer_by),
        "take_up_by": format_time_or_none(request.take_up_by),
        "expires_at": format_time_or_none(request.expires_at),
        "ended_at": format_time_or_none(request.ended_at),
        "end_reason": request.end_reason,
        "absent_at": format_time_or_none(request.absent_at),
        "safe_after": format_time_or_none(request.safe_after),
        "decisions": [vote_view(vote) for vote in request.decisions],
        "approval": request.approval,
        "usage": usage_view(usage),
        "warnings": warnings(request.scope, request.preflight),
    }


def _grant_fields(request: GrantRequest) -> shapes.GrantFields | None:
    if request.grant_id is None:
        return None
    return {
        "grant_id": request.grant_id,
        "issued_at": format_time_or_none(request.issued_at),
        "expires_at": format_time_or_none(request.expires_at),
        "ends_at": format_time_or_none(request.ends_at),
        "spread_by": format_time_or_none(request.spread_by),
    }


def vote_view(vote: Vote) -> shapes.Vote:
    """One person's decision, without what is internal."""
    return {
        "by": vote.by,
        "verdict": vote.verdict.value,
        "comment": vote.comment,
        "duration": format_duration(vote.duration) if vote.duration else None,
        "at": format_time(vote.at),
    }
