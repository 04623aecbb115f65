"""Who calls, and which calls come from the same person (design: nobody decides on their own request)."""

from collections.abc import Collection
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from grant_broker.domain import arns
from grant_broker.domain.arns import find_session_name, role_of
from grant_broker.domain.texts import Documented, ecma

# Roles that Identity Center makes; only their ids say for sure, the name merely raises suspicion.
_IDENTITY_CENTER_NAME = "AWSReservedSSO_"
_IDENTITY_CENTER_PERSON = "identity-center:"


def _principal(arn: str) -> str:
    if len(arn) > arns.LONGEST_PRINCIPAL or not arns.GRANTEE.fullmatch(arn):
        raise ValueError("give the ARN of one IAM role, IAM user or assumed-role session, without wildcards")
    return arn


Grantee = Annotated[
    str,
    AfterValidator(arns.refuse_other_partition),
    AfterValidator(_principal),
    Documented((("maxLength", arns.LONGEST_PRINCIPAL), ("pattern", ecma(arns.GRANTEE)))),
]


class Caller(NamedTuple):
    """The identity that API Gateway verified. `unique_id` is the role's or user's id (AROA…, AIDA…)."""

    arn: str
    account: str
    unique_id: str
    session: str | None = None

    def person(self, identity_center_role_ids: Collection[str]) -> str:
        """The person behind the call.

        Sessions of an ordinary role choose their own name, so all of them are one person. Identity Center
        sets the session name itself: there it is the person, whatever the permission set. Whether a role
        is Identity Center's is told by its unique id on the stack's list, never by its name.
        """
        if self.session is not None and self.unique_id in identity_center_role_ids:
            return f"{_IDENTITY_CENTER_PERSON}{self.account}:{self.session}"
        return f"{self.account}:{self.unique_id}"

    def is_grantee(self, grantee: str) -> bool:
        """Whether this caller acts as the grantee: the user, the very session, or any session of the role.

        STS ARNs leave the role's path out. Role names are unique in an account whatever their path, so
        account and name identify the role without guessing a path.
        """
        if self.arn == grantee:
            return True
        role = role_of(self.arn) if find_session_name(self.arn) else None
        return role is not None and role == role_of(grantee) and not find_session_name(grantee)

    def would_hold(self, grantee: str, *, person: str) -> bool:
        """Whether what is granted to the grantee would be this person's: then they may not decide on it.

        More than `is_grantee`: another session of one's own ordinary role is the same person.
        """
        ordinary = not is_identity_center_person(person)
        same_role = ordinary and holder(self.arn) == holder(grantee)
        return same_role or self.is_grantee(grantee)


def looks_like_identity_center(arn: str) -> bool:
    """Whether a role, or the role of a session, is named as Identity Center names its own."""
    role = role_of(arn)
    return role is not None and role[1].startswith(_IDENTITY_CENTER_NAME)


def is_identity_center_person(person: str) -> bool:
    """Whether a person was told apart by a listed Identity Center role."""
    return person.startswith(_IDENTITY_CENTER_PERSON)


def holder(principal: str) -> str:
    """The holder of a grant. A session counts as its role."""
    role = role_of(principal)
    return f"{role[0]}:role/{role[1]}" if role else principal
