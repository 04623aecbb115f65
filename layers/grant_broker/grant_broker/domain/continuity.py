"""How long a grantee has held access without a break: beyond a key's `max_continuous` people must vote."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from grant_broker.domain.coverage import Coverage
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.scope import Scope
from grant_broker.domain.times import format_duration

_LONGEST_PAUSE, _PART = timedelta(seconds=60), 20
MOST = 500
"""Holdings that are looked through; who has had more within `max_continuous` is for people to judge."""


def pause(longest: int) -> timedelta:
    """How long a pause is no break: up to a minute, and no more than a twentieth of `max_continuous`.

    Otherwise who gives a grant back and asks again a second later would hold for ever; KMS may let a
    grantee go on for about a minute after a grant's end anyway.
    """
    return min(_LONGEST_PAUSE, timedelta(seconds=longest) / _PART)


class Holding(NamedTuple):
    """A grant that one grantee has or had: of which request, under which scope, from when until when."""

    request_id: str
    status: Status
    scope: Scope
    issued_at: datetime
    expires_at: datetime
    ended_at: datetime | None

    def until(self, now: datetime) -> datetime:
        """When it ended, or will: what must end now ends now, what is overdue is held still."""
        if self.status == Status.ENDING:
            return now
        return self.ended_at or (self.expires_at if self.status.final else max(self.expires_at, now))


class Wanted(NamedTuple):
    """A further grant: of which request, under which scope, for how many seconds from when on."""

    request_id: str
    scope: Scope
    duration: int
    at: datetime


def continuity(holdings: Collection[Holding], wanted: Wanted, *, longest: int, now: datetime) -> Coverage:
    """Whether what is wanted stays within `longest` seconds of the grantee's unbroken holding.

    What counts are grants under which some encryption context is allowed by both: a context that is held on.
    """
    if len(holdings) > MOST:
        return Coverage(covered=False, reason=f"the grantee has had over {MOST} grants lately")
    spans = [
        (holding.until(now), holding.issued_at)
        for holding in holdings
        if holding.request_id != wanted.request_id and holding.scope.meets(wanted.scope)
    ]
    since = _since(spans, wanted.at, pause(longest))
    held = int((wanted.at - since).total_seconds()) + wanted.duration
    most, in_all = format_duration(longest), format_duration(held)
    reason = f"held for {in_all} without a break; standing approvals cover {most}"
    return Coverage(covered=held <= longest, reason=reason)


def _since(spans: Collection[tuple[datetime, datetime]], at: datetime, no_break: timedelta) -> datetime:
    """From when on it is held without a break up to a moment; spans are (end, start)."""
    since = at
    for end, start in sorted(spans, reverse=True):
        if since - end >= no_break:
            break
        since = min(since, start)
    return since
