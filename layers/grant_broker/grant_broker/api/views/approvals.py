"""Standing approvals."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from grant_broker.api.views.third_parties import vote_view
from grant_broker.domain.approvals import Approval
from grant_broker.domain.times import format_duration, format_time
from grant_broker.domain.votes import Quorum
from grant_broker.domain.windows import Window

if TYPE_CHECKING:
    from grant_broker.api.shapes import approvals as shapes


def approval_view(approval: Approval, *, quorum: Quorum, now: datetime, may_decide: bool) -> shapes.Approval:
    """A standing approval."""
    return {
        "id": approval.id,
        "status": approval.status(quorum=quorum, now=now),
        "key": approval.key_arn,
        "account": approval.account,
        "grantee": approval.grantee,
        "operations": list(approval.scope.operations),
        "encryption_context": dict(approval.scope.encryption_context),
        "context_match": approval.scope.context_match.value,
        "max_duration": format_duration(approval.max_duration),
        "valid_from": format_time(approval.valid_from),
        # A standing approval always has an end.
        "valid_until": format_time(cast("datetime", approval.valid_until)),
        "windows": [_window(window) for window in approval.windows] if approval.windows else None,
        "reason": approval.reason,
        "decisions": [vote_view(vote) for vote in approval.votes],
        "created_at": format_time(approval.created_at),
        "may_decide": may_decide,
    }


def _window(window: Window) -> shapes.WindowShown:
    return {
        "days": [day.value for day in window.days],
        "from": window.begins,
        "to": window.ends,
        "time_zone": window.time_zone,
    }
