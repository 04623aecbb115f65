"""Mass revocations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grant_broker.domain.blocks import Selectors
from grant_broker.domain.mass_revocations import Progress
from grant_broker.domain.times import format_time, format_time_or_none

if TYPE_CHECKING:
    from grant_broker.api.shapes import revocations as shapes


def progress_view(progress: Progress) -> shapes.MassRevocation:
    """A mass revocation, and how far it is."""
    revocation = progress.revocation
    found = revocation.selectors
    return {
        "id": revocation.id,
        "key": found.key_arn,
        "account": found.account,
        "grantee": revocation.grantee,
        "all": found == Selectors(),
        "approval": revocation.approval,
        "reason": revocation.reason,
        "by": revocation.by,
        "created_at": format_time(revocation.created_at),
        "matched": revocation.matched,
        "ended": revocation.matched - progress.left,
        "left": progress.left,
        "finished_at": format_time_or_none(revocation.finished_at),
        "blocked_until": format_time_or_none(revocation.block_ended_at),
        "lifted_at": format_time_or_none(revocation.lifted_at),
    }
