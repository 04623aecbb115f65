"""What the IAM policies of an account give of what a key policy leaves to them, principal by principal."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from grant_broker.access_report.actions import KEY_ACTIONS
from grant_broker.access_report.conditions import Block, end_of
from grant_broker.access_report.entries import AccessEntry, AccessFinding, Through
from grant_broker.access_report.policies import KeyPolicies, denied_to, denying_in, entries_of
from grant_broker.access_report.statements import Document, statements_of
from grant_broker.domain.arns import account_of, root_arn


@dataclass(frozen=True)
class IdentityPolicy:
    """A policy of a role, a user or a group, as text."""

    name: str
    text: str


@dataclass(frozen=True)
class Identity:
    """A role or a user with all its identity policies, those of its groups included.

    `boundary` is the permissions boundary: what it does not allow, no identity policy gives.
    """

    arn: str
    policies: tuple[IdentityPolicy, ...]
    boundary: IdentityPolicy | None = None


@dataclass(frozen=True)
class _Given:
    """What one statement of an identity policy says about the key; `certain`: whatever the call."""

    name: str
    allow: bool
    actions: frozenset[str]
    conditions: Block
    certain: bool


def delegated_accounts(policies: KeyPolicies, key_arn: str) -> set[str]:
    """The accounts to whose IAM policies the key policy leaves something; none where it cannot be read."""
    if policies.default is None:
        return set()
    try:
        entries = list(entries_of(policies.default, key_arn))
    except ValueError:
        return set()
    return {str(entry.through.account) for entry in entries if entry.through.kind == "iam"}


def entries_by_iam(
    document: Document, key_arn: str, delegations: Iterable[AccessEntry], identities: Iterable[Identity]
) -> Iterator[AccessEntry]:
    """Who has, by IAM policies, what a key policy leaves to the principals' account.

    `delegations` are the entries of that policy. As there, conditions are shown, not judged; what an
    unconditional Deny or a permissions boundary takes away is left out. Organisation policies and those of
    sessions are not known here, and might take more away. A policy that cannot be read gives nothing.
    """
    left = [entry for entry in delegations if entry.through.kind == "iam"]
    denying = denying_in(document, key_arn)
    for identity in identities:
        given = [each for policy in identity.policies for each in _given(policy, key_arn)]
        within = _within(identity.boundary, key_arn)
        root = root_arn(account_of(identity.arn))
        for entry in left:
            if entry.principal in {identity.arn, root}:
                taken, unless = denied_to(identity.arn, entry.actions, denying)
                possible = within.intersection(entry.actions) - taken
                yield from _held(identity.arn, entry, given, possible, unless)


def unreadable(identities: Iterable[Identity], key_arn: str) -> Iterator[AccessFinding]:
    """The identity policies that no rule here can read, so that they are not reported."""
    for identity in identities:
        for policy in (*identity.policies, *((identity.boundary,) if identity.boundary else ())):
            if fault := _read(policy.text, key_arn)[1]:
                words = f"the IAM policy {policy.name} cannot be read: {fault}"
                yield AccessFinding("identity_policy_not_understood", words, identity.arn)


def _held(
    arn: str,
    delegation: AccessEntry,
    given: list[_Given],
    possible: frozenset[str],
    unless: list[dict[str, Any]],
) -> Iterator[AccessEntry]:
    denied = [each for each in given if not each.allow]
    taken = {name for deny in denied if deny.certain for name in deny.actions}
    for allowed in (each for each in given if each.allow):
        actions = allowed.actions & possible - taken
        conditional = [
            {"Sid": deny.name, "Condition": deny.conditions}
            for deny in denied
            if not deny.certain and deny.actions & actions
        ]
        if actions:
            through = Through(
                kind="iam",
                sid=delegation.through.sid,
                account=delegation.through.account,
                policy=allowed.name,
            )
            constraint = _constraint(delegation, allowed.conditions, [*unless, *conditional])
            until = _earlier(delegation.until, end_of(allowed.conditions))
            yield AccessEntry(arn, tuple(sorted(actions)), through, constraint, until)


def _constraint(
    delegation: AccessEntry, conditions: Block, unless: list[dict[str, Any]]
) -> Mapping[str, Any] | None:
    shown = {name: value for name, value in (delegation.constraint or {}).items() if name != "Unless"}
    by_iam = {"IamCondition": conditions} if conditions else {}
    return {**shown, **by_iam, **({"Unless": unless} if unless else {})} or None


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    ends = [end for end in (one, other) if end]
    return min(ends) if ends else None


def _within(boundary: IdentityPolicy | None, key_arn: str) -> frozenset[str]:
    """The actions that a permissions boundary leaves; all of them where there is none."""
    if boundary is None:
        return frozenset(KEY_ACTIONS)
    said = _given(boundary, key_arn)
    allowed = {name for each in said if each.allow for name in each.actions}
    return frozenset(
        allowed - {name for each in said if not each.allow and each.certain for name in each.actions}
    )


def _given(policy: IdentityPolicy, key_arn: str) -> list[_Given]:
    return [
        _Given(f"{policy.name}, {each.name}", each.allow, each.actions, each.conditions, each.certain)
        for each in _read(policy.text, key_arn)[0]
    ]


# A managed policy is attached to many roles.
@lru_cache(maxsize=4096)
def _read(text: str, key_arn: str) -> tuple[tuple[_Given, ...], str | None]:
    """What a policy says about the key, and why it cannot be read, if so."""
    try:
        statements = statements_of(text)
    except ValueError as error:
        return (), str(error)
    found = []
    for statement in statements:
        actions = frozenset(name for name in KEY_ACTIONS if statement.read.concerns(name.lower()))
        certain = not statement.read.conditions and statement.certainly_on(key_arn)
        if actions and statement.on(key_arn):
            found.append(_Given(statement.name, statement.read.allow, actions, statement.conditions, certain))
    return tuple(found), None
