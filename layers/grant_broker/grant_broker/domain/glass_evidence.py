"""Whether break-glass covered a live grant: by what KMS shows of it, and by what was counted of its day.

Whoever took `requests` over can write its own count and the request's record. What counts here it cannot: the
limits in force, the grant's creation time, the marks of `expiry` for those that have ended, and what
`reconcile` has noted of those that it saw alive.
"""

from collections.abc import Collection
from typing import TypedDict

from grant_broker.domain.break_glass import day_of
from grant_broker.domain.coverage import Coverage
from grant_broker.domain.key_document import BreakGlass
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.live_grants import SKEW, when_intended
from grant_broker.domain.place import Place
from grant_broker.domain.records import ChangeOf
from grant_broker.domain.times import format_duration
from grant_broker.domain.versions import revise


class GlassSeenChanges(TypedDict):
    """What a change of a note sets."""

    grant_ids: tuple[str, ...]


class GlassSeen(Place):
    """The grants by break-glass that reconcile saw alive, of one key and of one day, or two at midnight."""

    key_arn: str
    days: str
    grant_ids: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """Its partition, which only reconcile writes."""
        return f"reconcile#break-glass#{self.key_arn}#{self.days}"

    def with_more(self, grant_ids: Collection[str]) -> "ChangeOf[GlassSeen]":
        """With grants that were seen for the first time."""
        return revise(self, GlassSeenChanges(grant_ids=(*self.grant_ids, *grant_ids)))


def days_of(grant: ListedGrant) -> list[str]:
    """The days that a grant may have been counted for: two where its intent may be of the day before."""
    return sorted({day_of(moment) for moment in when_intended(grant)})


def judge_break_glass(rules: BreakGlass, grant: ListedGrant, others: Collection[str]) -> Coverage:
    """Whether break-glass covered a grant; `others` are those counted for its days.

    Of two days, at midnight, either may be the one that it was counted for, and each has `per_day`: a grant
    that was counted rightly is never refused for the other day's.
    """
    longest = rules.max_duration
    if not rules.names(grant.grantee):
        return Coverage(covered=False, reason="the key's break-glass does not name its grantee")
    if grant.expiry is None or (grant.expiry - grant.created_at - SKEW).total_seconds() > longest:
        return Coverage(covered=False, reason=f"break-glass lasts {format_duration(longest)} at most")
    most = rules.per_day * len(days_of(grant))
    if len(set(others) - {grant.grant_id}) >= most:
        return Coverage(covered=False, reason=f"break-glass was used {most} times that day already")
    return Coverage(covered=True, reason="covered by break-glass")
