"""Requests as approvers see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grant_broker.api.views.events import event_view
from grant_broker.api.views.third_parties import request_view
from grant_broker.api.views.usage import last_use_view
from grant_broker.domain.break_glass import BrokenGlass
from grant_broker.domain.continuity import Holding
from grant_broker.domain.preflight import Finding, Preflight
from grant_broker.domain.seen_request import SeenRequest
from grant_broker.domain.times import format_time
from grant_broker.domain.trail import Event

if TYPE_CHECKING:
    from grant_broker.api.shapes import requests as shapes
    from grant_broker.domain.usage import Usage


def seen_request_view(seen: SeenRequest, usage: Usage | None) -> shapes.RequestSeen:
    """A Request as approvers see it; `usage` is what was seen of its use, None where nobody looks."""
    found = seen.request.preflight
    return {
        **request_view(seen.request, usage),
        "preflight": _preflight(found) if found else None,
        "votes": {"given": seen.given, "needed": seen.needed},
        "others": [_other(holding) for holding in seen.others],
        "may_decide": seen.may_decide,
        "broken_glass": _broken_glass(seen.request.broken_glass),
    }


def trail_view(seen: SeenRequest, usage: Usage | None, trail: Sequence[Event]) -> shapes.RequestWithTrail:
    """A Request as approvers see it, with its trail."""
    return {
        **seen_request_view(seen, usage),
        "trail": [event_view(event) for event in trail],
        "key_last_used": last_use_view(seen.last_use),
    }


def _broken_glass(glass: BrokenGlass | None) -> shapes.BrokenGlass | None:
    return {"by": glass.by, "reason": glass.reason, "at": format_time(glass.at)} if glass else None


def _other(holding: Holding) -> shapes.OtherGrant:
    return {
        "id": holding.request_id,
        "status": holding.status,
        "operations": list(holding.scope.operations),
        "encryption_context": dict(holding.scope.encryption_context),
        "context_match": holding.scope.context_match.value,
        "expires_at": format_time(holding.expires_at),
    }


def _preflight(found: Preflight) -> shapes.Preflight:
    return {
        "at": format_time(found.at),
        "has_access": _finding(found.has_access),
        "grantee_accepted": _finding(found.grantee_accepted),
        "key_usable": _finding(found.key_usable),
        "can_create": _finding(found.can_create),
        "can_end": _finding(found.can_end),
    }


def _finding(found: Finding) -> shapes.Finding:
    return {"answer": found.answer.value, "reason": found.reason}
