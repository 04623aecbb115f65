"""Votes, and how many of them it takes."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.parties import Party, Requester, Voter, party
from grant_broker.domain.people import is_identity_center_person
from grant_broker.domain.times import Seconds, Time


class Verdict(StrEnum):
    """What a vote says."""

    APPROVE = "approve"
    DENY = "deny"


class Vote(BaseModel):
    """One person's decision, and the digest of exactly what it was about."""

    model_config = ConfigDict(frozen=True)

    person: str
    by: str
    session: str | None = None
    role_id: str | None = None
    """The unique id of the role that it came through; None in what an earlier release stored."""
    verdict: Verdict
    comment: str = ""
    at: Time
    digest: str
    duration: Seconds | None = None
    idempotency: str | None = None

    @property
    def voter(self) -> Voter:
        """Who voted."""
        return Voter(self.by, self.person, self.session, self.role_id)


class Quorum(NamedTuple):
    """How many distinct persons must agree.

    `mixed`: the list of approvers holds roles of Identity Center and others. One human may then come through
    both, as two persons; so above one vote only those through Identity Center count.

    `role_ids`: the unique ids that a key lists; votes through other roles do not count. None: no list of its
    own, and every vote was cast by somebody of the stack's list.
    """

    needed: int
    mixed: bool = False
    role_ids: frozenset[str] | None = None

    def counts(self, vote: Vote) -> bool:
        """Whether a vote counts towards it."""
        return is_listed(vote.role_id, self.role_ids) and self.counts_person(vote.person)

    def counts_person(self, person: str) -> bool:
        """Whether votes of this person count, cast through a role that is listed."""
        return self.needed == 1 or not self.mixed or is_identity_center_person(person)


def is_listed(role_id: str | None, role_ids: Collection[str] | None) -> bool:
    """Whether a key's list of approvers has this role; without a list (None) it is every role."""
    return role_ids is None or role_id in role_ids


def count_agreed(
    votes: Sequence[Vote],
    digest: str,
    quorum: Quorum,
    *,
    requester: Requester | None,
    grantee: str | None,
) -> int:
    """Distinct persons who approved the content of this digest, without whoever may be a party to it."""
    return len(
        {
            vote.person
            for vote in votes
            if vote.verdict == Verdict.APPROVE
            and vote.digest == digest
            and quorum.counts(vote)
            and party(vote.voter, requester=requester, grantee=grantee) == Party.NO
        }
    )
