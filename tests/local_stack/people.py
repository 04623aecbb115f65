"""Who calls the local stack: third parties, the security team, a key administrator, the EC2 role."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.local_aws.cloud import Cloud, Credentials

HOME = "111122223333"
PARTNER, OTHER_PARTNER, OUTSIDER = "444455556666", "666677778888", "777788889999"
TRUSTED = (PARTNER, OTHER_PARTNER)
APPROVER_ROLE = "AWSReservedSSO_KeySecurity_0123456789abcdef"
REVIEW_ROLE = "AWSReservedSSO_KeyReview_0123456789abcdef"
DUTY_ROLE = "key-duty"
IMPOSTOR_ROLE = "AWSReservedSSO_KeySecurity_ffffffffffffffff"
_IDENTITY_CENTER = (APPROVER_ROLE, REVIEW_ROLE)
_IDENTITY_CENTER_PATH = "/aws-reserved/sso.amazonaws.com/eu-central-1/"
# Name: account, role, session. Alice, bob and carol come through one Identity Center role, alice through
# a second permission set too; two sessions of the duty role are one person; the impostor's role has but
# the name.
_SESSIONS = {
    "partner": (PARTNER, "partner-application", "application"),
    "partner_colleague": (PARTNER, "partner-colleague", "colleague"),
    "other_partner": (OTHER_PARTNER, "other-application", "application"),
    "outsider": (OUTSIDER, "outsider", "outsider"),
    "alice": (HOME, APPROVER_ROLE, "alice"),
    "bob": (HOME, APPROVER_ROLE, "bob"),
    "carol": (HOME, APPROVER_ROLE, "carol"),
    "alice_in_review": (HOME, REVIEW_ROLE, "alice"),
    "duty": (HOME, DUTY_ROLE, "monday"),
    "duty_again": (HOME, DUTY_ROLE, "tuesday"),
    "impostor": (HOME, IMPOSTOR_ROLE, "alice"),
    "key_admin": (HOME, "key-admin", "key-admin"),
}


@dataclass(frozen=True)
class Person:
    """Credentials of one caller; `grantee` is the role ARN to name in a request, None for the root user."""

    credentials: Credentials
    grantee: str | None = None

    def shown(self) -> dict[str, str]:
        """The entry of the ready file."""
        who = self.credentials
        shown = {
            "arn": who.arn,
            "account": who.account,
            "access_key_id": who.access_key_id,
            "secret_access_key": who.secret_access_key,
            "session_token": who.session_token,
        }
        return shown | ({"grantee": self.grantee} if self.grantee else {})


def _allow(action: str, resource: str = "*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role_arn(account: str, role: str) -> str:
    """The ARN of a person's role: Identity Center's have its path."""
    path = _IDENTITY_CENTER_PATH if role in _IDENTITY_CENTER else "/"
    return f"arn:aws:iam::{account}:role{path}{role}"


def create_roles(cloud: Cloud, invoke: str) -> None:
    """Every person's role; each may invoke the API (`invoke`, its ARN) as far as its own account goes."""
    for account, role in sorted({(account, role) for account, role, _ in _SESSIONS.values()}):
        policies = [_allow("execute-api:Invoke", invoke)]
        if account == HOME:
            # Where the API and the key are, they read in the outputs.
            policies.append(_allow("cloudformation:DescribeStacks"))
        # Partners have buses and queues of their own, to be told of their requests.
        if account in TRUSTED:
            policies += [_allow("events:*"), _allow("sqs:*")]
        # The outsider has keys of its own, as anybody on AWS can.
        if role in {"key-admin", "outsider"}:
            policies.append(_allow("kms:*"))
        path = role_arn(account, role).partition(":role")[2].removesuffix(role)
        cloud.create_role(role, policies, account=account, path=path)


def identity_center_roles() -> list[str]:
    """The Identity Center roles of the security team, which tell their people apart."""
    return [role_arn(HOME, role) for role in _IDENTITY_CENTER]


def approver_roles() -> list[str]:
    """All roles that decide."""
    return [*identity_center_roles(), role_arn(HOME, DUTY_ROLE)]


def sign_in(cloud: Cloud, extra: Mapping[str, tuple[str, str]]) -> dict[str, Person]:
    """A session for everybody; `extra` adds a name with its role's ARN and session name."""
    people = {
        name: Person(cloud.session_for(role_arn(account, role), session), role_arn(account, role))
        for name, (account, role, session) in _SESSIONS.items()
    }
    for name, (arn, session) in extra.items():
        people[name] = Person(cloud.session_for(arn, session), arn)
    return people | {"root": Person(cloud.root())}


def unique_id(cloud: Cloud, role_arn: str) -> str:
    """A role's AROA…"""
    return cloud.directory.principals[role_arn].unique_id


def document(text: str | dict[str, Any]) -> dict[str, Any]:
    """A policy, given as JSON text or already read."""
    found: dict[str, Any] = json.loads(text) if isinstance(text, str) else text
    return found
