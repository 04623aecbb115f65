"""Votes for a document of a key whose quorum is above 1."""

from datetime import datetime, timedelta
from typing import ClassVar, TypedDict

from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.keys import Key
from grant_broker.domain.records import ChangeOf, Record
from grant_broker.domain.stored import Table, listed_at
from grant_broker.domain.times import Time
from grant_broker.domain.versions import revise
from grant_broker.domain.votes import Quorum


class ProposalChanges(TypedDict, total=False):
    """What a vote for a document sets."""

    base_version: int
    voters: tuple[str, ...]
    proposed_at: datetime


class Proposal(Record):
    """Votes for exactly one document of a key whose quorum is above 1."""

    TABLE: ClassVar = Table.APPROVALS

    document: KeyDocument
    base_version: int
    voters: tuple[str, ...] = ()
    proposed_at: Time

    @property
    def subject(self) -> str:
        """The key's partition; the sort key tells proposals apart by their digest."""
        return f"key#{self.document.key_arn}"

    @property
    def key(self) -> tuple[str, str]:
        """Several may stand beside their key."""
        return self.subject, f"proposal#{self.document.digest}"

    @property
    def place(self) -> str:
        """Its place among those of its key."""
        return listed_at(self.proposed_at, self.document.digest)

    @property
    def lapses_at(self) -> datetime:
        """From when on its votes do not count any more: a week after the first."""
        return self.proposed_at + timedelta(days=7)

    def counts_for(self, key: Key, now: datetime) -> bool:
        """Whether its votes still count: the key has not changed since, and the first is not a week old."""
        return self.base_version == key.limits_version and now < self.lapses_at

    def votes(self, quorum: Quorum) -> int:
        """How many of its voters count: on a mixed list Identity Center's people alone."""
        return sum(quorum.counts_person(person) for person in self.voters)

    def voted(self, person: str, key: Key, now: datetime) -> "ChangeOf[Proposal]":
        """One more person's vote; votes that do not count any more start again with it."""
        if self.counts_for(key, now):
            return revise(self, ProposalChanges(voters=(*self.voters, person)))
        fresh = ProposalChanges(base_version=key.limits_version, voters=(person,), proposed_at=now)
        return revise(self, fresh)
