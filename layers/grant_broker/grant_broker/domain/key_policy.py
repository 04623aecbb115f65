"""What a key's policy must say so that the broker can work on it: the same as the template's own key."""

import difflib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grant_broker.domain.arns import account_of
from grant_broker.domain.trail import Json

LARGEST = 32 * 1024
"""Bytes of a key policy, at most (KMS, "Resource quotas")."""
_STAND_IN = "GrantBroker"  # before a Sid that another statement of the policy has
_SIDS = frozenset({"Issue", "ReadKey", "ReadPolicy", "End", "Compare"})
# Within the key's own account only (KMS's permissions table).
_READ_POLICY, _LIST_POLICIES, _LAST_USE = "kms:GetKeyPolicy", "kms:ListKeyPolicies", "kms:GetKeyLastUsage"
_WITHIN = frozenset({_READ_POLICY, _LIST_POLICIES, _LAST_USE})


@dataclass(frozen=True)
class Roles:
    """ARNs of the roles that work on keys."""

    requests: str
    approvals: str
    expiry: str
    reconcile: str

    @property
    def every(self) -> frozenset[str]:
        """All of them."""
        return frozenset({self.requests, self.approvals, self.expiry, self.reconcile})

    @property
    def account(self) -> str:
        """The broker's own account."""
        return account_of(self.expiry)


def statements(roles: Roles, operations: Sequence[str], key_arn: str) -> list[Json]:
    """The statements that the key's policy needs; `operations` is the widest set that any grant may hold."""
    needed = [
        _issue(roles, operations),
        _allow(
            *("ReadKey", roles.approvals),
            *("kms:DescribeKey", _LAST_USE, _READ_POLICY, "kms:ListGrants", _LIST_POLICIES),
        ),
        _allow("ReadPolicy", [roles.requests, roles.expiry], _READ_POLICY),
        _allow("End", roles.expiry, "kms:ListGrants", "kms:RevokeGrant"),
        _allow("Compare", roles.reconcile, "kms:ListGrants"),
    ]
    return needed if _within(roles, key_arn) else [each for each in map(_abroad, needed) if each["Action"]]


def merged(present: Mapping[str, Any], needed: Sequence[Json], roles: Roles) -> Json:
    """The policy with the needed statements: older ones of ours replaced, all others left as they are."""
    left = {each["Sid"]: each for each in needed}
    kept: list[Json] = []
    others = [each for each in listed(present["Statement"]) if _own_sid(each, roles) is None]
    taken = {each.get("Sid") for each in others}
    for each in listed(present["Statement"]):
        sid = _own_sid(each, roles)
        if sid is None:
            kept.append(each)
        elif sid in left:
            kept.append(_named(_narrowed(left.pop(sid), each), taken))
    return {**present, "Statement": [*kept, *(_named(each, taken) for each in left.values())]}


def text_of(policy: Mapping[str, Any]) -> str | None:
    """The policy as text that KMS takes: indented, or else compact; None where even that is too large."""
    for text in (json.dumps(policy, indent=2), json.dumps(policy, separators=(",", ":"))):
        if len(text) < LARGEST:  # the end of a printed line is one more
            return text
    return None


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """A unified diff of two policies; empty where nothing changes."""
    old, new = (json.dumps(each, indent=2).splitlines() for each in (before, after))
    return "\n".join(difflib.unified_diff(old, new, "present", "needed", lineterm=""))


def role_policies(roles: Roles, key_arn: str, operations: Sequence[str]) -> dict[str, Json]:
    """For a key of another account: the IAM policy that each role needs as well, since both must allow."""
    if _within(roles, key_arn):
        return {}
    found: dict[str, list[Json]] = {}
    for statement in statements(roles, operations, key_arn):
        role = statement["Principal"]["AWS"]
        granted = {name: value for name, value in statement.items() if name != "Principal"}
        found.setdefault(role, []).append({**granted, "Resource": key_arn})
    return {role: {"Version": "2012-10-17", "Statement": each} for role, each in found.items()}


def _issue(roles: Roles, operations: Sequence[str]) -> Json:
    condition = {
        "StringEquals": {
            "kms:GrantConstraintType": ["EncryptionContextEquals", "EncryptionContextSubset"],
            "kms:RetiringPrincipal": roles.expiry,
        },
        "ForAllValues:StringEquals": {"kms:GrantOperations": list(operations)},
        # ForAllValues holds for an empty set too; and a constraint without pairs constrains nothing.
        "Null": {"kms:GrantOperations": "false", "kms:EncryptionContextKeys": "false"},
    }
    return {**_allow("Issue", roles.requests, "kms:CreateGrant"), "Condition": condition}


def _allow(sid: str, who: str | list[str], *actions: str) -> Json:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": who},
        "Action": actions[0] if len(actions) == 1 else list(actions),
        "Resource": "*",
    }


def _within(roles: Roles, key_arn: str) -> bool:
    return account_of(key_arn) == roles.account


def _abroad(statement: Json) -> Json:
    left = [name for name in listed(statement["Action"]) if name not in _WITHIN]
    return {**statement, "Action": left[0] if len(left) == 1 else left}


def _own_sid(statement: Mapping[str, Any], roles: Roles) -> str | None:
    """The Sid of ours that a present statement is a form of: of that Sid, for the broker's roles alone."""
    principal = statement.get("Principal")
    named = listed(principal.get("AWS", [])) if isinstance(principal, Mapping) else []
    sid = str(statement.get("Sid", "")).removeprefix(_STAND_IN)
    return sid if sid in _SIDS and named and roles.every.issuperset(named) else None


def _named(statement: Json, taken: Collection[object]) -> Json:
    """The statement under its Sid, which is unique in a policy: where another one has it, ours gives way."""
    sid = str(statement["Sid"])
    while sid in taken:
        sid = f"{_STAND_IN}{sid}"
    return {**statement, "Sid": sid}


def _narrowed(needed: Json, present: Mapping[str, Any]) -> Json:
    """The needed statement with the present one's further conditions, such as grantees under a path."""
    ours: Mapping[str, Mapping[str, Any]] = needed.get("Condition", {})
    own_keys = {key.lower() for keys in ours.values() for key in keys}
    merged_block = {operator: dict(keys) for operator, keys in ours.items()}
    for operator, keys in present.get("Condition", {}).items():
        further = {key: value for key, value in keys.items() if key.lower() not in own_keys}
        if further:
            merged_block.setdefault(operator, {}).update(further)
    return {**needed, "Condition": merged_block} if merged_block else needed


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """JSON's list, or the single value in one."""
    return value if isinstance(value, list) else [value]
