"""Records as the API shows them: every field always there, null where it is not known yet."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from grant_broker.domain.approvals import Approval, Vote
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.times import format_duration, format_time

_LIVING = frozenset({Status.ACTIVE, Status.ENDING})


def request_view(request: GrantRequest, *, token: bool = False) -> dict[str, Any]:
    """A Request. The grant token only where the caller is a party to it, and only while the grant lives."""
    scope = request.scope.model_dump(mode="json")
    return {
        "id": request.id,
        "status": str(request.status),
        "requester": {"arn": request.requester_arn, "account": request.account},
        "grantee": request.grantee,
        "key": request.key_arn,
        **scope,
        "duration": format_duration(request.duration),
        "starts_at": _time(request.starts_at),
        "reason": request.reason,
        "ticket": request.ticket,
        "extends": request.extends,
        "created_at": _time(request.created_at),
        "answer_by": _time(request.answer_by),
        "take_up_by": _time(request.take_up_by),
        "expires_at": _time(request.expires_at),
        "ended_at": _time(request.ended_at),
        "end_reason": request.end_reason,
        "decisions": [_decision(vote) for vote in request.decisions],
        "approval": request.approval,
        "grant": _grant(request, token=token),
    }


def _grant(request: GrantRequest, *, token: bool) -> dict[str, Any] | None:
    if request.grant_id is None:
        return None
    shown = token and request.status in _LIVING
    return {
        "grant_id": request.grant_id,
        "grant_token": request.grant_token if shown else None,
        "issued_at": _time(request.issued_at),
        "expires_at": _time(request.expires_at),
    }


def preflight_view(request: GrantRequest) -> dict[str, Any] | None:
    """What was found out when the request was submitted, for its approvers."""
    return request.preflight.model_dump(mode="json") if request.preflight else None


def approval_view(approval: Approval, *, quorum: int, now: datetime) -> dict[str, Any]:
    """A standing approval."""
    return {
        "id": approval.id,
        "status": approval.status(quorum=quorum, now=now),
        "key": approval.key_arn,
        "account": approval.account,
        "grantee": approval.grantee,
        **approval.scope.model_dump(mode="json"),
        "max_duration": format_duration(approval.max_duration),
        "valid_from": _time(approval.valid_from),
        "valid_until": _time(approval.valid_until),
        "reason": approval.reason,
        "decisions": [_decision(vote) for vote in approval.votes],
        "created_at": _time(approval.created_at),
    }


def key_view(key: Key) -> dict[str, Any]:
    """A key's limits, as the security team sees and writes them."""
    return key.document.model_dump(mode="json")


def offer_view(key: Key, account: str) -> dict[str, Any]:
    """What a third party may ask for on a key; the account in its required context filled in."""
    document = key_view(key)
    names = ("key_arn", "name", "operations", "max_duration")
    return {
        **{name: document[name] for name in names},
        "required_context": key.required_context(account),
        "context_match": document["context_match"],
    }


def list_view(items: list[Mapping[str, Any]] | list[dict[str, Any]], cursor: str | None) -> dict[str, Any]:
    """A page of a list."""
    return {"items": items, "cursor": cursor}


def _decision(vote: Vote) -> dict[str, Any]:
    return {"by": vote.by, "verdict": str(vote.verdict), "comment": vote.comment, "at": _time(vote.at)}


def _time(time: datetime | None) -> str | None:
    return format_time(time) if time else None
