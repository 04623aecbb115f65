"""Principals and their credentials."""

import secrets
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Credentials:
    """Keys of one caller; `session_token` is empty for root users and IAM users."""

    arn: str
    account: str
    access_key_id: str
    secret_access_key: str
    session_token: str = ""


@dataclass
class Principal:
    """A role or a user. `unique_id` is what a grant holds, so a recreated role inherits nothing."""

    arn: str
    account: str
    unique_id: str
    policies: list[dict[str, Any]] = field(default_factory=list)


class Directory:
    """All accounts' principals and credentials."""

    def __init__(self) -> None:
        self.principals: dict[str, Principal] = {}
        self.credentials: dict[str, Credentials] = {}

    def add(self, arn: str, account: str, prefix: str, policies: list[dict[str, Any]]) -> str:
        """Register a principal under a fresh unique id."""
        unique_id = prefix + secrets.token_hex(9).upper()[:17]
        self.principals[arn] = Principal(arn, account, unique_id, list(policies))
        return arn

    def issue(self, arn: str, account: str, *, temporary: bool) -> Credentials:
        """Fresh keys for an ARN."""
        key = ("ASIA" if temporary else "AKIA") + secrets.token_hex(8).upper()
        token = secrets.token_urlsafe(48) if temporary else ""
        found = Credentials(arn, account, key, secrets.token_urlsafe(30), token)
        self.credentials[key] = found
        return found

    def delete(self, arn: str) -> None:
        """Delete a principal and the credentials of its sessions."""
        gone = self.principals.pop(arn)
        session = f"arn:aws:sts::{gone.account}:assumed-role/{arn.rsplit('/', 1)[1]}/"
        dead = [k for k, c in self.credentials.items() if c.arn == arn or c.arn.startswith(session)]
        for key in dead:
            del self.credentials[key]

    def resolve(self, arn: str) -> str | None:
        """The unique id behind an ARN (session name included), or None where nobody has this ARN."""
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[:2] != ["arn", "aws"]:
            return None
        if parts[2] == "iam" and parts[5] == "root":
            return arn
        if parts[2] == "sts" and parts[5].startswith("assumed-role/") and parts[5].count("/") == 2:
            _, name, session = parts[5].split("/")
            for role in self.principals.values():
                if role.account == parts[4] and ":role/" in role.arn and role.arn.endswith("/" + name):
                    return f"{role.unique_id}:{session}"
            return None
        found = self.principals.get(arn)
        return found.unique_id if found else None
