"""What is asked and what is answered: a call, and the verdict with its reason."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple


class Verdict(StrEnum):
    """AWS's three outcomes: only the first lets the call through."""

    ALLOWED = "Allowed"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    EXPLICITLY_DENIED = "ExplicitlyDenied"


class Call(NamedTuple):
    """One AWS call as the authorisation sees it.

    `principal_arn` is a user, a role, a session (`sts … assumed-role/Name/session`) or an account's root.
    `context` is the whole request context: a list is a multi-valued key, a string a single-valued one;
    `aws:PrincipalArn` holds the role, with its path, behind a session. `encryption_context` are the pairs
    that grant constraints are compared with; None takes them from `kms:EncryptionContext:…`. For
    CreateGrant they are the pairs of the new grant's constraint.
    """

    principal_arn: str
    action: str
    resource_arn: str
    context: Mapping[str, object]
    encryption_context: Mapping[str, str] | None = None
    grant_tokens: Sequence[str] = ()


SourceKind = Literal["key_policy", "identity_policy", "grant"]


class Source(NamedTuple):
    """A statement or grant that decided. For other services `key_policy` is the resource's own policy."""

    kind: SourceKind
    sid: str | None = None
    grant_id: str | None = None
    effect: str = "Allow"


class Decision(NamedTuple):
    """The verdict, why, through what, and what in the policies was not understood.

    What is not understood never widens: it does not match in an Allow and matches in a Deny.
    """

    verdict: Verdict
    reason: str
    decided_by: tuple[Source, ...] = ()
    unknown: tuple[str, ...] = ()
    missing: SourceKind | None = None
    """For an implicit Deny, the first kind of source that would have to allow it and does not."""

    @property
    def allowed(self) -> bool:
        """Whether the call goes through."""
        return self.verdict is Verdict.ALLOWED
