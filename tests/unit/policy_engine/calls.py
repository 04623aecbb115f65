"""Calls and policies that the authorisation tests vary."""

from collections.abc import Mapping
from typing import Any

from grant_broker.policy_engine import Call, Decision, Verdict, decide_kms

HOME, PARTNER = "111122223333", "444455556666"
KEY = f"arn:aws:kms:eu-central-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
USER = f"arn:aws:iam::{HOME}:user/team/bob"
ROLE = f"arn:aws:iam::{HOME}:role/app/encryptor"
SESSION = f"arn:aws:sts::{HOME}:assumed-role/encryptor/nightly"
ROOT = f"arn:aws:iam::{HOME}:root"
PARTNER_ROLE = f"arn:aws:iam::{PARTNER}:role/writer"
PARTNER_ROOT = f"arn:aws:iam::{PARTNER}:root"

ALLOWED, IMPLICIT, EXPLICIT = (
    Verdict.ALLOWED,
    Verdict.IMPLICITLY_DENIED,
    Verdict.EXPLICITLY_DENIED,
)


def call(principal: str = ROLE, action: str = "kms:Encrypt", **elements: Any) -> Call:
    """A call on the key; a session is of ROLE unless its context says otherwise."""
    context = {"aws:PrincipalArn": ROLE if ":sts:" in principal else principal, **elements.pop("context", {})}
    return Call(principal, action, elements.pop("resource", KEY), context, **elements)


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    """A statement about every KMS action on every resource, unless said otherwise."""
    defaults: dict[str, Any] = {"Effect": effect}
    if "NotAction" not in elements:
        defaults["Action"] = "kms:*"
    if "NotResource" not in elements:
        defaults["Resource"] = "*"
    return {**defaults, **elements}


def policy(*statements: Mapping[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    """A policy of these statements."""
    return {"Version": version, "Statement": list(statements)}


def naming(principal: object, effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    """A key policy of one statement for this AWS principal."""
    return policy(statement(effect, Principal={"AWS": principal}, **elements))


NOTHING = policy(statement(Principal={"Service": "logs.eu-central-1.amazonaws.com"}))
EVERYTHING = policy(statement())


def decided(
    asked: Call | None = None, key_policy: object = NOTHING, identity: tuple[Any, ...] = (), **more: Any
) -> Decision:
    """The decision on a call on the key."""
    document: Any = key_policy
    return decide_kms(asked or call(), key_policy=document, identity_policies=identity, **more)


def verdict(
    asked: Call | None = None, key_policy: object = NOTHING, identity: tuple[Any, ...] = (), **more: Any
) -> Verdict:
    """The verdict on a call on the key."""
    return decided(asked, key_policy, identity, **more).verdict
