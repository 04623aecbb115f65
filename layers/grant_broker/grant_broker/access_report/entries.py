"""What the report is made of: who may do what, through what; and what somebody should look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Kind = Literal["key_policy", "iam", "grant"]


@dataclass(frozen=True)
class Through:
    """What gives the access.

    `iam`: the key policy leaves it to the IAM policies of `account`; `pointer` says so in words, and
    `policy` names the IAM policy where IAM was read. `service` is the AWS service that made a grant for a
    resource of its own.
    """

    kind: Kind
    sid: str | None = None
    account: str | None = None
    policy: str | None = None
    pointer: str | None = None
    grant_id: str | None = None
    request_id: str | None = None
    issued_by: str | None = None
    service: str | None = None


@dataclass(frozen=True)
class AccessEntry:
    """One principal's access by one statement or grant. `findings` are the codes of what is wrong with it."""

    principal: str
    actions: tuple[str, ...]
    through: Through
    constraint: Mapping[str, Any] | None = None
    until: datetime | None = None
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class AccessFinding:
    """Something that a person should look at."""

    code: str
    detail: str
    principal: str | None = None
