"""A small AWS for the tests of the local cloud: one key, a role, another account, and how a call ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_aws.clients import client_of
from tests.local_aws.cloud import Cloud, Credentials

HOME, PARTNER = "111122223333", "444455556666"
START = datetime(2030, 1, 1, tzinfo=UTC)
PAIRS = {"a": "b"}


def statement(action: str | list[str], effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    """A statement of an identity policy, on everything unless said otherwise."""
    return {"Effect": effect, "Action": action, "Resource": "*", **elements}


def naming(principal: str | list[str], action: str | list[str], **elements: Any) -> dict[str, Any]:
    """A statement of a key policy."""
    return statement(action, Principal={"AWS": principal}, **elements)


def policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def root(account: str = HOME) -> str:
    """An account's ARN."""
    return f"arn:aws:iam::{account}:root"


@dataclass
class World:
    """A cloud with a key whose policy is AWS's default, and the roles `app` (at home) and `partner`."""

    now: list[datetime] = field(default_factory=lambda: [START])
    cloud: Cloud = field(init=False)
    key: str = field(init=False)
    app: str = field(init=False)
    partner: str = field(init=False)
    expiry: str = field(init=False)
    _root: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cloud = Cloud(lambda: self.now[0])
        self.app, self.expiry = self.cloud.create_role("app", []), self.cloud.create_role("expiry", [])
        self.partner = self.cloud.create_role("partner", [], PARTNER)
        self.key = self.cloud.create_key(policy(naming(root(), "kms:*")))

    def as_root(self, service: str = "kms") -> Any:
        """A client of the home account's root user."""
        if service not in self._root:
            self._root[service] = self.client(self.cloud.root(), service)
        return self._root[service]

    def client(self, who: Credentials, service: str = "kms") -> Any:
        """A client with these credentials."""
        return client_of(self.cloud.session(who), service)

    def unchecked(self, who: Credentials, service: str = "kms") -> Any:
        """A client that sends what its service would refuse."""
        return client_of(self.cloud.session(who), service, config=Config(parameter_validation=False))

    def role(self, arn: str, service: str = "kms", session: str = "session") -> Any:
        """A client of a role's session."""
        return self.client(self.cloud.session_for(arn, session), service)

    def grant(self, **changes: Any) -> str:
        """A grant by root to the partner, retired by `expiry`; its id."""
        return str(self.as_root().create_grant(**self.wanted(**changes))["GrantId"])

    def wanted(self, **changes: Any) -> dict[str, Any]:
        """CreateGrant's parameters; None leaves one out."""
        given = {
            "KeyId": self.key,
            "GranteePrincipal": self.partner,
            "RetiringPrincipal": self.expiry,
            "Operations": ["Encrypt"],
            "Constraints": {"EncryptionContextEquals": PAIRS},
        } | changes
        return {name: value for name, value in given.items() if value is not None}

    def allow(self, role: str, *actions: str) -> None:
        """Let a role's only identity policy allow these actions, none for no actions."""
        self.cloud.put_role_policies(role, [policy(statement(list(actions)))] if actions else [])


def code(call: Callable[..., Any], **parameters: Any) -> str:
    """The error's code, "" where the call went through."""
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """The error's code and message."""
    with pytest.raises(ClientError) as found:
        call(**parameters)
    error = found.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


DENIED = "AccessDeniedException"
DRY = "DryRunOperationException"
