"""Recertification: what stands for long owes a look every so often; without it, it covers nothing more.

Nothing that lives is ended by it: people vote again until somebody has looked.
"""

from abc import abstractmethod
from datetime import datetime, timedelta
from typing import NamedTuple, Self, TypedDict

from grant_broker.domain.records import ChangeOf, Record, Stamp
from grant_broker.domain.times import Time, format_time
from grant_broker.domain.versions import record_event


class Looks(TypedDict):
    """When somebody looked last, or it was made; when the next look is due; from when on nothing is covered.

    None: none is owed.
    """

    reviewed_at: datetime
    review_due: datetime | None
    unreviewed_after: datetime | None


class Rhythm(NamedTuple):
    """How often a look is owed, and for how long nothing comes of it when it is late. Both in seconds.

    `every` None or 0: no look is owed.
    """

    every: int | None
    grace: int

    def after(self, last: datetime) -> Looks:
        """The next look after one, or after what was made then."""
        if not self.every:
            return Looks(reviewed_at=last, review_due=None, unreviewed_after=None)
        due = last + timedelta(seconds=self.every)
        return Looks(reviewed_at=last, review_due=due, unreviewed_after=due + timedelta(seconds=self.grace))

    def changed(self, before: "Reviewable", at: datetime, *, last: datetime) -> Looks:
        """The next look where the rhythm changes at a moment: nobody is late before it by what it says now.

        What was granted until then is judged by these times too.
        """
        looks = self.after(last)
        due, late = looks["review_due"], looks["unreviewed_after"]
        if due is None or late is None:
            return looks
        due = max(due, min(before.review_due or at, at))
        late = max(due + timedelta(seconds=self.grace), min(before.unreviewed_after or at, at))
        return Looks(reviewed_at=last, review_due=due, unreviewed_after=late)


class Due(NamedTuple):
    """A look that is owed since a moment: at what, and who made it or changed it last."""

    review: str
    id: str
    key_arn: str | None
    account: str | None
    by: str
    about: str
    since: datetime


class Signed(NamedTuple):
    """Who signed a look off, with what they found."""

    by: str
    comment: str
    at: datetime


class Reviewable(Record):
    """A record that owes a look. The times stand in it, so whoever may not write it cannot move them."""

    reviewed_at: Time | None = None
    review_due: Time | None = None
    unreviewed_after: Time | None = None
    review_mark: str | None = None
    """Knows the call that signed it off last."""

    def reviewed(self, stamp: Stamp, comment: str, looks: Looks, *, mark: str | None) -> "ChangeOf[Self]":
        """Somebody else looked at it, and signed it off until the next look."""
        kind = self.subject.partition("#")[0]
        changes = {**looks, "review_mark": mark}
        return record_event(self, "reviewed", stamp, {"review": kind, "comment": comment}, changes)

    @abstractmethod
    def is_in_effect(self, at: datetime) -> bool:
        """Whether anything rests on it: what is closed, withdrawn or over owes no look."""

    def owes_review(self, at: datetime) -> bool:
        """Whether a look is due."""
        return self.review_due is not None and self.review_due <= at

    def is_unreviewed(self, at: datetime) -> bool:
        """Whether it is so late that nothing is covered any more."""
        return self.unreviewed_after is not None and self.unreviewed_after <= at


def find_unreviewed(at: datetime, *things: tuple[str, Reviewable | None]) -> str | None:
    """Why a standing approval does not cover at a moment although it would: what nobody has looked at."""
    for name, thing in things:
        # What is closed or named no more owes no look, and nobody could sign it off.
        if thing and thing.is_in_effect(at) and thing.review_due and thing.is_unreviewed(at):
            return (
                f"nobody has signed off the review of {name} that was due at {format_time(thing.review_due)}"
            )
    return None
