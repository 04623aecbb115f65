"""Blocks: what the security team lets nobody have any more, from when on and until when.

A block is one item for each combination of selectors. Several revocations may stand on it, and it holds while
one of them does. What stood is kept: whoever makes a grant past the block is judged by it afterwards too.
"""

from collections.abc import Collection
from datetime import datetime
from typing import ClassVar, TypedDict

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.arns import name_of_principal
from grant_broker.domain.errors import Blocked
from grant_broker.domain.records import ChangeOf, Record
from grant_broker.domain.stored import Table, listed_at
from grant_broker.domain.times import LATEST, EpochSecond, Time, format_time, from_epoch
from grant_broker.domain.versions import revise

_MOST_ENDED = 200  # standings kept that are over: an item takes 400 KB, and no grant lives for ever
_FOR_EVER = int(LATEST.timestamp()) - 1


class Selectors(BaseModel):
    """What is selected: one key, one account, one grantee, each or None for any; all of them must match.

    `grantee` is a role or user by account and name, as `name_of_principal` tells it.
    """

    model_config = ConfigDict(frozen=True)

    key_arn: str | None = None
    account: str | None = None
    grantee: str | None = None

    @classmethod
    def about(cls, *, key_arn: str, account: str, grantee: str) -> "Selectors":
        """The selectors that match one grant and no wider: its key, its account, its grantee principal."""
        return cls(key_arn=key_arn, account=account, grantee=name_of_principal(grantee))

    @property
    def name(self) -> str:
        """The name of this combination. An account beside a grantee says nothing more: its name holds it."""
        account = None if self.grantee else self.account
        return "#".join(part or "*" for part in (self.key_arn, account, self.grantee))

    @property
    def wider(self) -> "list[Selectors]":
        """Every combination that matches what these match, everything first."""
        holders = [Selectors(), Selectors(account=self.account), Selectors(grantee=self.grantee)]
        return [
            holder.model_copy(update={"key_arn": key_arn})
            for holder in holders
            for key_arn in (None, self.key_arn)
        ]

    def matches(self, other: "Selectors") -> bool:
        """Whether whatever the other matches is matched by these."""
        return (
            self.key_arn in {None, other.key_arn}
            and self.account in {None, other.account}
            and self.grantee in {None, other.grantee}
        )


class Standing(BaseModel):
    """One revocation's part in a block: from `since` until `until` (None: until lifted) or `lifted_at`."""

    model_config = ConfigDict(frozen=True)

    revocation: str
    since: Time
    until: Time | None = None
    lifted_at: Time | None = None

    @property
    def ends_at(self) -> datetime:
        """When it ended, or will."""
        return min(self.until or LATEST, self.lifted_at or LATEST)


class BlockChanges(TypedDict):
    """What a change of a block sets."""

    standings: tuple[Standing, ...]
    blocked_until: int


class Block(Record):
    """That nothing may be granted that the selectors match.

    `blocked_until`, an epoch second, is what transactions check; 0 where no standing holds. A standing ends
    in a whole second, so that this and the standings never disagree.
    """

    TABLE: ClassVar = Table.APPROVALS
    SORT_KEY: ClassVar = "block"

    selectors: Selectors
    standings: tuple[Standing, ...] = ()
    blocked_until: EpochSecond = 0

    @property
    def subject(self) -> str:
        """The block's partition, told by what it matches."""
        return f"block#{self.selectors.name}"

    @property
    def indexed(self) -> dict[str, object]:
        """What it is listed under, and its place in the list."""
        return {"kind": "block", "listed_at": listed_at(self.standings[0].since, self.selectors.name)}

    def holds(self, now: datetime) -> bool:
        """Whether anything is blocked at a moment."""
        return now.timestamp() < self.blocked_until

    def stood_on(self, standing: Standing) -> "ChangeOf[Block]":
        """With one more revocation that stands on it."""
        return self._with((*self.standings, standing))

    def lifted(self, revocation: str, at: datetime) -> "ChangeOf[Block]":
        """Without one revocation; it still holds where another stands on it."""
        standings = [
            each.model_copy(update={"lifted_at": at})
            if each.revocation == revocation and at < each.ends_at
            else each
            for each in self.standings
        ]
        return self._with(standings)

    def _with(self, standings: Collection[Standing]) -> "ChangeOf[Block]":
        left = [each for each in standings if each.lifted_at is None]
        until = max((_second(each.until) for each in left), default=0)
        # The oldest that are over go first: of them no grant can be alive any more.
        by_end = sorted(standings, key=lambda each: each.ends_at)
        dropped = by_end[: max(0, len(by_end) - len(left) - _MOST_ENDED)]
        kept = tuple(each for each in standings if each not in dropped)
        return revise(self, BlockChanges(standings=kept, blocked_until=until))


def _second(until: datetime | None) -> int:
    return _FOR_EVER if until is None else int(until.timestamp())


def refuse_blocked(blocks: Collection[Block], now: datetime) -> None:
    """Blocked where one of these blocks holds."""
    for block in blocks:
        if block.holds(now):
            raise _refusal(block)


def _refusal(block: Block) -> Blocked:
    found = block.selectors
    parts = ((found.key_arn, " on this key"), (found.account, " for this account"))
    about = "".join(words for selected, words in parts if selected)
    about += " for this grantee" if found.grantee else ""
    until = None if block.blocked_until == _FOR_EVER else from_epoch(block.blocked_until)
    end = format_time(until) if until else "it lifts the block"
    return Blocked(f"the security team has blocked new grants{about or ' for everybody'} until {end}", until)
