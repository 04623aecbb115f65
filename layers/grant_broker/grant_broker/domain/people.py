"""Who calls, and which calls come from the same person (design: nobody decides on their own request)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from grant_broker.domain.texts import Documented, ecma

# The API's grantee: 1-256 of KMS's characters (CreateGrant, GranteePrincipal), no wildcard by pattern.
_GRANTEE = re.compile(
    r"arn:aws[a-z-]*:(?:iam::(?P<iam>\d{12}):(?P<kind>role|user)/(?:[\w+=,.@-]+/)*[\w+=,.@-]{1,64}"
    r"|sts::(?P<sts>\d{12}):assumed-role/[\w+=,.@-]{1,64}/[\w+=,.@-]{2,64})",
    re.ASCII,
)
_LONGEST_PRINCIPAL = 256
# Roles that Identity Center makes; only their ids say for sure, the name merely raises suspicion.
_IDENTITY_CENTER_NAME = "AWSReservedSSO_"
_IDENTITY_CENTER_PERSON = "identity-center:"


def _principal(arn: str) -> str:
    if len(arn) > _LONGEST_PRINCIPAL or not _GRANTEE.fullmatch(arn):
        raise ValueError("give the ARN of one IAM role, IAM user or assumed-role session, without wildcards")
    return arn


Grantee = Annotated[
    str,
    AfterValidator(_principal),
    Documented((("maxLength", _LONGEST_PRINCIPAL), ("pattern", ecma(_GRANTEE)))),
]


@dataclass(frozen=True)
class Caller:
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
        return _role_of_session(self.arn) is not None and _role_of_session(self.arn) == _role(grantee)

    def shares_name_with(self, grantee: str) -> bool:
        """Whether the grantee is an Identity Center session of this caller's name in the same account."""
        parts = grantee.split("/")
        return (
            f":sts::{self.account}:assumed-role" in parts[0]
            and parts[1].startswith(_IDENTITY_CENTER_NAME)
            and self.session == parts[-1]
        )

    def would_hold(self, grantee: str, *, person: str) -> bool:
        """Whether what is granted to the grantee would be this person's: then they may not decide on it.

        More than `is_grantee`: another session of one's own ordinary role is the same person.
        """
        ordinary = not person.startswith(_IDENTITY_CENTER_PERSON)
        same_role = ordinary and holder(self.arn) == holder(grantee)
        return same_role or self.is_grantee(grantee) or self.shares_name_with(grantee)


def account_of(principal: str) -> str:
    """The account in a principal's ARN."""
    return principal.split(":")[4]


def partition_of(principal: str) -> str:
    """The partition in a principal's ARN: there is none of one partition in another."""
    return principal.split(":")[1]


def holder(principal: str) -> str:
    """Who holds what is granted to a principal: for a role's session its role: they are one."""
    role = _role(principal) or _role_of_session(principal)
    return f"{role[0]}:role/{role[1]}" if role else principal


def _role(arn: str) -> tuple[str, str] | None:
    match = _GRANTEE.fullmatch(arn)
    return (match["iam"], arn.rsplit("/", 1)[1]) if match and match["kind"] == "role" else None


def _role_of_session(arn: str) -> tuple[str, str] | None:
    match = _GRANTEE.fullmatch(arn)
    return (match["sts"], arn.split("/")[1]) if match and match["sts"] else None
