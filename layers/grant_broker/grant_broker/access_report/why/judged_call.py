"""The call that is asked about: what its question says, and what AWS's own error names in its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from grant_broker.access_report.why.refusal import Refusal, read_refusal
from grant_broker.domain.arns import find_session_name, role_of
from grant_broker.domain.question import Question

_NOW = timedelta(minutes=5)


@dataclass(frozen=True)
class JudgedCall:
    """One call to KMS. `refusal` is None where nobody says that KMS refused it.

    `context_told`: `context` is what the call sent, and not empty for want of knowledge.
    `of_now`: what KMS shows of the key and its grants now speaks of the call too.
    """

    action: str
    principal: str
    context: Mapping[str, str]
    at: datetime
    of_now: bool
    size: int | None = None
    refusal: Refusal | None = None
    context_told: bool = True

    @classmethod
    def of(cls, question: Question, *, grantee: str, now: datetime) -> Self:
        """The call of a question about this grantee's request."""
        refusal = read_refusal(question.error) if question.error else None
        named = (refusal.action, refusal.principal) if refusal else (None, None)
        at = question.at or now
        return cls(
            action=named[0] or question.action.removeprefix("kms:"),
            principal=named[1] or question.principal or grantee,
            context=question.context or {},
            context_told=question.context is not None,
            at=at,
            of_now=at > now - _NOW,
            size=question.size,
            refusal=refusal,
        )

    def is_by(self, grantee: str) -> bool:
        """Whether the caller acts as the grantee: the very principal, or any session of the role.

        STS leaves a role's path out; an account has one role of a name, whatever its path.
        """
        if self.principal == grantee:
            return True
        role = role_of(self.principal)
        return role is not None and role == role_of(grantee) and not find_session_name(grantee)
