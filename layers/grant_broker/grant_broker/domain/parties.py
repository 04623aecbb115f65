"""Who decides on something of their own: nobody may, and where it cannot be excluded they may only deny."""

from enum import IntEnum
from typing import NamedTuple

from grant_broker.domain.arns import find_session_name
from grant_broker.domain.people import (
    Caller,
    is_identity_center_person,
    looks_like_identity_center,
)


class Party(IntEnum):
    """Whether a voter is a party to what is voted on."""

    NO = 0
    SUSPECTED = 1
    """It may be theirs: they may deny it, and their approval does not count."""
    YES = 2


class Voter(NamedTuple):
    """Who votes, or has voted: the caller's ARN, the person behind it, the session's name if there is one.

    `role_id` is the unique id of the role; None where a vote of an earlier release does not tell.
    """

    arn: str
    person: str
    session: str | None
    role_id: str | None = None

    @classmethod
    def of(cls, caller: Caller, person: str) -> "Voter":
        """The voter that a caller is."""
        return cls(caller.arn, person, caller.session, caller.unique_id)


class Requester(NamedTuple):
    """Who asked: the ARN of the call, and the person behind it."""

    arn: str
    person: str


def party(voter: Voter, *, requester: Requester | None, grantee: str | None) -> Party:
    """Whether a voter is the requester or would hold what the grantee is granted.

    The unique id of a role says for sure whether Identity Center made it; an ARN does not hold it. So a role
    that merely looks like Identity Center's may be anybody's: as the requester, that of whoever has its
    session name, in whatever account; as the grantee, of everybody, or of that session name alone where a
    session is named.
    """
    by_requester = _as_requester(voter, requester) if requester else Party.NO
    return max(by_requester, _as_grantee(voter, grantee) if grantee else Party.NO)


def _as_requester(voter: Voter, requester: Requester) -> Party:
    if voter.person == requester.person:
        return Party.YES
    # A listed Identity Center role tells its people apart: its session names are no suspicion.
    unsure = looks_like_identity_center(requester.arn) and not is_identity_center_person(requester.person)
    return Party.SUSPECTED if unsure and _same_name(voter, requester.arn) else Party.NO


def _as_grantee(voter: Voter, grantee: str) -> Party:
    caller = Caller(voter.arn, account="", unique_id="", session=voter.session)
    if caller.would_hold(grantee, person=voter.person):
        return Party.YES
    if not looks_like_identity_center(grantee):
        return Party.NO
    named = find_session_name(grantee) is not None
    return Party.SUSPECTED if not named or _same_name(voter, grantee) else Party.NO


def _same_name(voter: Voter, arn: str) -> bool:
    name = find_session_name(arn)
    return name is not None and voter.session is not None and name.casefold() == voter.session.casefold()
