"""Requests as approvers see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grant_broker.api.views.events import event_view
from grant_broker.api.views.third_parties import request_view
from grant_broker.api.views.usage import last_use_view
from grant_broker.domain.break_glass import BrokenGlass
from grant_broker.domain.continuity import Holding
from grant_broker.domain.preflight import Answer, Preflight
from grant_broker.domain.review import Review
from grant_broker.domain.times import format_time
from grant_broker.domain.trail import Event

if TYPE_CHECKING:
    from grant_broker.api.shapes import requests as shapes


def review_view(review: Review) -> shapes.RequestSeen:
    """A Request as approvers see it."""
    found = review.request.preflight
    return {
        **request_view(review.request),
        "preflight": _preflight(found) if found else None,
        "votes": {"given": review.given, "needed": review.needed},
        "others": [_other(holding) for holding in review.others],
        "may_decide": review.may_decide,
        "broken_glass": _broken_glass(review.request.broken_glass),
    }


def trail_view(review: Review, trail: Sequence[Event]) -> shapes.RequestWithTrail:
    """A Request as approvers see it, with its trail."""
    return {
        **review_view(review),
        "trail": [event_view(event) for event in trail],
        "key_last_used": last_use_view(review.last_use),
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


def _finding(found: Answer) -> shapes.Finding:
    return {"answer": found.answer.value, "reason": found.reason}
