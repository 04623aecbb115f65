"""What the report is made of: who may do what, through what; and what somebody should look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from grant_broker.domain.times import format_time

Kind = Literal["key_policy", "iam", "grant"]


@dataclass(frozen=True)
class Through:
    """What gives the access.

    `iam`: the key policy leaves it to the IAM policies of the principal's account. `service` is the AWS
    service that made a grant for a resource of its own.
    """

    kind: Kind
    sid: str | None = None
    grant_id: str | None = None
    request_id: str | None = None
    issued_by: str | None = None
    service: str | None = None


@dataclass(frozen=True)
class Entry:
    """One principal's access by one statement or grant. `findings` are the codes of what is wrong with it."""

    principal: str
    actions: tuple[str, ...]
    through: Through
    constraint: Mapping[str, Any] | None = None
    until: datetime | None = None
    findings: tuple[str, ...] = ()

    def view(self) -> dict[str, Any]:
        """The entry as the API shows it; of `through` only what is known."""
        known = {name: value for name, value in vars(self.through).items() if value is not None}
        return {
            "principal": self.principal,
            "actions": list(self.actions),
            "through": known,
            "constraint": self.constraint,
            "until": format_time(self.until) if self.until else None,
            "findings": list(self.findings),
        }


@dataclass(frozen=True)
class Finding:
    """Something that a person should look at."""

    code: str
    detail: str
    principal: str | None = None

    def view(self) -> dict[str, Any]:
        """The finding as the API shows it."""
        named = {"principal": self.principal} if self.principal else {}
        return {"code": self.code, "detail": self.detail, **named}
