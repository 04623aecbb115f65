"""Principals, their policies and their credentials."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from grant_broker.policy_engine import Policy, parse_policy

Document = dict[str, Any]


@dataclass(frozen=True)
class Credentials:
    """Keys of one caller; `session_token` is empty for root users and IAM users."""

    arn: str
    account: str
    access_key_id: str
    secret_access_key: str
    session_token: str = ""

    @property
    def root(self) -> bool:
        """Whether this is an account's root user."""
        return self.arn.endswith(":root")


@dataclass
class Principal:
    """A role or a user. `unique_id` is what a grant holds, so a recreated role inherits nothing."""

    arn: str
    account: str
    unique_id: str
    inline: dict[str, Document] = field(default_factory=dict)
    attached: dict[str, Document] = field(default_factory=dict)
    """Managed policies by ARN."""
    trust: Document | None = None
    """A role's trust policy; nobody assumes a role without one."""
    created: datetime = field(kw_only=True)
    _read: tuple[Policy, ...] | None = None

    @property
    def name(self) -> str:
        """The name without its path."""
        return self.arn.rsplit("/", 1)[1]

    @property
    def policies(self) -> list[Document]:
        """All its identity policies."""
        return [*self.inline.values(), *self.attached.values()]

    @property
    def read(self) -> tuple[Policy, ...]:
        """All its identity policies as the engine reads them, once for many calls."""
        if self._read is None:
            self._read = tuple(parse_policy(document) for document in self.policies)
        return self._read

    def put(self, name: str, document: Document) -> None:
        """Put an inline policy. Raises ValueError where AWS would not store it."""
        check_identity_policy(document)
        self.inline[name], self._read = document, None

    def attach(self, arn: str, document: Document) -> None:
        """Attach a managed policy. Raises ValueError where AWS would not store it."""
        check_identity_policy(document)
        self.attached[arn], self._read = document, None

    def remove(self, name_or_arn: str) -> bool:
        """Delete an inline policy or detach a managed one; whether there was such a one."""
        self._read = None
        gone = self.inline.pop(name_or_arn, None) or self.attached.pop(name_or_arn, None)
        return gone is not None

    def replace(self, policies: Sequence[Document]) -> None:
        """Have these inline policies and no others."""
        self.inline.clear()
        self.attached.clear()
        self._read = None
        for number, document in enumerate(policies, start=1):
            self.put(f"policy-{number}", document)


def check_identity_policy(document: str | Document) -> None:
    """Raises ValueError where AWS would not take it as the policy of a role or user."""
    for statement in parse_policy(document).statements:
        if statement.principals is not None or not statement.complete:
            raise ValueError(f"statement {statement.position} needs Action and Resource, and no Principal")


def check_trust_policy(document: str | Document) -> None:
    """Raises ValueError where AWS would not take it as the trust policy of a role."""
    for statement in parse_policy(document).statements:
        if statement.principals is None or statement.actions is None or statement.resources is not None:
            raise ValueError(f"statement {statement.position} needs Principal and Action, and no Resource")


class Directory:
    """All accounts' principals and credentials."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.principals: dict[str, Principal] = {}
        self.credentials: dict[str, Credentials] = {}
        self.managed: dict[str, Document] = {}
        """Managed policies by ARN, attached or not."""
        self.changes = 0
        """Counts up whenever a principal comes or goes."""
        self._roles: dict[tuple[str, str], Principal] = {}
        self._added: Counter[str] = Counter()

    def add(self, arn: str, account: str, prefix: str, policies: Sequence[Document]) -> str:
        """Register a principal under a unique id; one of the same ARN is replaced.

        The id is the same in every cloud, so that what was recorded in one names the same people in another.
        """
        if arn in self.principals:
            self.delete(arn)
        self._added[arn] += 1
        unique = hashlib.sha256(f"{arn}#{self._added[arn]}".encode()).hexdigest().upper()
        made = Principal(arn, account, prefix + unique[:17], created=self._clock())
        made.replace(policies)
        self.principals[arn] = made
        self.changes += 1
        if ":role/" in arn:
            self._roles[account, made.name] = made
        return arn

    def issue(self, arn: str, account: str, *, temporary: bool) -> Credentials:
        """Fresh keys for an ARN."""
        key = ("ASIA" if temporary else "AKIA") + secrets.token_hex(8).upper()
        token = secrets.token_urlsafe(48) if temporary else ""
        found = Credentials(arn, account, key, secrets.token_urlsafe(30), token)
        self.credentials[key] = found
        return found

    def session(self, role: Principal, name: str) -> Credentials:
        """A role session's keys; the session's ARN drops the role's path, as AWS's does."""
        arn = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{name}"
        return self.issue(arn, role.account, temporary=True)

    def delete(self, arn: str) -> None:
        """Delete a principal and the credentials of its sessions."""
        gone = self.principals.pop(arn)
        self._roles.pop((gone.account, gone.name), None)
        self.changes += 1
        session = f"arn:aws:sts::{gone.account}:assumed-role/{gone.name}/"
        dead = [k for k, c in self.credentials.items() if c.arn == arn or c.arn.startswith(session)]
        for key in dead:
            del self.credentials[key]

    def remember(self) -> Callable[[], None]:
        """Remember who there is; the result brings back whoever was deleted since, with their credentials."""
        principals, credentials, roles = dict(self.principals), dict(self.credentials), dict(self._roles)

        def restore() -> None:
            self.principals.update(principals)
            self.credentials.update(credentials)
            self._roles.update(roles)
            self.changes += 1

        return restore

    def role(self, account: str, name: str) -> Principal | None:
        """An account's role of this name, whatever its path."""
        return self._roles.get((account, name))

    def behind(self, caller: Credentials) -> Principal | None:
        """The role behind a session, or the user; None for a root user."""
        if ":assumed-role/" in caller.arn:
            return self._roles.get((caller.account, caller.arn.split("/")[1]))
        return self.principals.get(caller.arn)

    def younger(self, arn: str, age: timedelta) -> bool:
        """Whether the principal of this ARN, or the role behind a session, was made less than `age` ago."""
        if not age:
            return False
        unique_id = (self.resolve(arn) or "").split(":")[0]
        made = (each.created for each in self.principals.values() if each.unique_id == unique_id)
        return any(self._clock() - created < age for created in made)

    def resolve(self, arn: str) -> str | None:
        """The unique id behind an ARN (session name included), or None where nobody has this ARN."""
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[:2] != ["arn", "aws"] or parts[3]:
            return None
        account, resource = parts[4], parts[5]
        if parts[2] == "iam" and resource == "root":
            return arn if len(account) == 12 and account.isdecimal() else None
        if parts[2] == "sts" and resource.startswith("assumed-role/") and resource.count("/") == 2:
            _, name, session = resource.split("/")
            role = self._roles.get((account, name))
            return f"{role.unique_id}:{session}" if role and session else None
        found = self.principals.get(arn)
        return found.unique_id if found else None


def request_context(directory: Directory, caller: Credentials) -> Mapping[str, object]:
    """What every request's context says of its caller."""
    found = directory.behind(caller)
    if found is None:
        return {
            "aws:PrincipalArn": caller.arn,
            "aws:PrincipalAccount": caller.account,
            "aws:PrincipalType": "Account",
            "aws:userid": caller.account,
        }
    session = ":assumed-role/" in caller.arn
    own = {"aws:userid": f"{found.unique_id}:{caller.arn.split('/')[2]}"} if session else {}
    user = {} if session else {"aws:userid": found.unique_id, "aws:username": found.name}
    return {
        "aws:PrincipalArn": found.arn,
        "aws:PrincipalAccount": caller.account,
        "aws:PrincipalType": "AssumedRole" if session else "User",
        **own,
        **user,
    }
