"""What a key's policy must say for the broker, as a change of its present one that KMS takes."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grant_broker.access_report.grants import UNIQUE_ID
from grant_broker.access_report.statements import NamedStatement, statements_of
from grant_broker.aws.kms import KmsReader
from grant_broker.domain.arns import account_of
from grant_broker.domain.errors import KmsRefused
from grant_broker.domain.key_policy import (
    LARGEST,
    Roles,
    difference,
    listed,
    merged,
    role_policies,
    statements,
    text_of,
)
from grant_broker.domain.trail import Json
from grant_broker.policy_engine import parse_policy
from grant_broker.policy_engine.conditions import normalise
from grant_broker.policy_engine.principals import Match, caller

# What the AWS element of a Principal may hold besides the ids of deleted principals: no wildcard in an ARN.
_PRINCIPAL = re.compile(r"\*|\d{12}|arn:aws:(?:iam|sts)::[^*?]+", re.ASCII)
_NOBODY_PUTS = (
    "no statement of it lets anybody put the key policy again (kms:PutKeyPolicy): KMS takes that only with "
    "BypassPolicyLockoutSafetyCheck"
)


@dataclass(frozen=True)
class KeyPolicyAdvice:
    """All that an operator needs to open a key to the broker.

    `policy` is the present one with the statements, None where that is not known or KMS would not take it;
    `diff` is empty where nothing is missing; `denied` says what other statements take from the broker.
    """

    statements: list[Json]
    role_policies: dict[str, Json]
    policy: Json | None = None
    diff: str | None = None
    denied: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool | None:
        """Whether the present policy lets the broker work; None where that is not known."""
        return None if self.diff is None else not self.diff and not self.denied


def advise(roles: Roles, operations: Sequence[str], key_arn: str, present: str | None) -> KeyPolicyAdvice:
    """What the key's policy must say; `present` is None where its policy is not known.

    `operations` is the widest set that any grant may hold. ValueError where `present` is no key policy.
    """
    needed = statements(roles, operations, key_arn)
    of_roles = role_policies(roles, key_arn, operations)
    if present is None:
        return KeyPolicyAdvice(needed, of_roles)
    before = _read(present)
    kept, notes = _without_deleted(before)
    after = merged(kept, needed, roles)
    if not _may_be_put_again(after):
        notes.append(_NOBODY_PUTS)
    policy: Json | None = after
    if text_of(after) is None:
        size = len(json.dumps(after, separators=(",", ":")))
        notes.append(f"with the statements it has {size} bytes, and KMS takes {LARGEST}: shorten it first")
        policy = None
    return KeyPolicyAdvice(
        statements=needed,
        role_policies=of_roles,
        policy=policy,
        # What only goes because its principal was deleted is nothing that the broker misses.
        diff="" if after == kept else difference(before, after),
        denied=tuple(_denied(after, needed, key_arn)),
        notes=tuple(notes),
    )


def get_advice(kms: KmsReader, roles: Roles, operations: Sequence[str], key_arn: str) -> KeyPolicyAdvice:
    """What the key's policy must say, as a change of its present one where KMS shows that."""
    try:
        return advise(roles, operations, key_arn, find_key_policy(kms, key_arn))
    except ValueError as error:
        unknown = advise(roles, operations, key_arn, None)
        return replace(unknown, notes=(f"the present policy cannot be used: {error}",))


def find_key_policy(kms: KmsReader, key_arn: str) -> str | None:
    """The key policy, or None where KMS does not show it to this caller."""
    try:
        return kms.get_key_policy(key_arn)
    except KmsRefused:
        return None


def _read(text: str) -> Json:
    """A key policy; ValueError where KMS would not have stored it."""
    policy = parse_policy(text)
    document: Json = json.loads(text)
    for statement, raw in zip(policy.statements, listed(document["Statement"]), strict=True):
        name = statement.sid or str(statement.position)
        if statement.principals is None:
            raise ValueError(f"statement {name} needs Principal or NotPrincipal")
        for principal in _named_in(raw):
            if not (_PRINCIPAL.fullmatch(principal) or UNIQUE_ID.fullmatch(principal)):
                raise ValueError(f"statement {name} names {principal!a}, which KMS takes for no principal")
    return document


def _without_deleted(policy: Json) -> tuple[Json, list[str]]:
    """The policy without principals that were deleted, which KMS takes in no new policy; what was left out.

    They are nobody, so what the policy says stays the same. ValueError where that is not so.
    """
    kept, notes = [], []
    for position, statement in enumerate(listed(policy["Statement"]), start=1):
        name = statement.get("Sid") or str(position)
        gone = [principal for principal in _named_in(statement) if UNIQUE_ID.fullmatch(principal)]
        if gone:
            notes.append(
                f"statement {name!a} names a principal that was deleted: {', '.join(gone)} is left out"
            )
        left = _without(statement, gone) if gone else statement
        if left:
            kept.append(left)
    return ({**policy, "Statement": kept} if notes else policy), notes


def _without(statement: Json, gone: Sequence[str]) -> Json | None:
    element = "NotPrincipal" if "NotPrincipal" in statement else "Principal"
    left = {
        kind: [name for name in listed(names) if name not in gone]
        for kind, names in statement[element].items()
    }
    named = {kind: names for kind, names in left.items() if names}
    if named:
        return {**statement, element: named}
    if element == "NotPrincipal":
        # Whom it excepted is nobody any more: it speaks of everyone.
        raise ValueError(
            f"statement {statement.get('Sid')!a} excepts deleted principals alone: say whom it means"
        )
    return None


def _named_in(statement: Mapping[str, Any]) -> Iterator[str]:
    for element in ("Principal", "NotPrincipal"):
        kinds = statement.get(element)
        if isinstance(kinds, Mapping):
            yield from listed(kinds.get("AWS", []))


def _may_be_put_again(policy: Json) -> bool:
    return any(each.read.allow and each.read.concerns("kms:putkeypolicy") for each in statements_of(policy))


def _denied(policy: Json, needed: Sequence[Json], key_arn: str) -> Iterator[str]:
    """Each right of the broker that a Deny takes away whatever the call; others hold by their conditions."""
    denying = [each for each in statements_of(policy) if not each.read.allow and each.on(key_arn)]
    for statement in needed:
        for role in listed(statement["Principal"]["AWS"]):
            for action in listed(statement["Action"]):
                for deny in denying:
                    if _takes(deny, role, action, key_arn):
                        yield f"statement {deny.name!a} denies {action} to {role}"


def _takes(deny: NamedStatement, role: str, action: str, key_arn: str) -> bool:
    account = account_of(role)
    context = normalise(
        {"aws:PrincipalArn": role, "aws:PrincipalAccount": account, "kms:CallerAccount": account}
    )
    known = all(condition.key in context for condition in deny.read.conditions)
    who = caller(role, context)
    return (
        known
        and deny.read.concerns(action.lower())
        and deny.read.takes_in(who) is not Match.NO
        and deny.read.holds(key_arn, context)[0] is not False
    )
