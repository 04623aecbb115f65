"""What a key's policy must say so that the broker can work on it: the same as the template's own key."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grant_broker.domain import arns
from grant_broker.domain.arns import account_of

Json = dict[str, Any]
_STAND_IN = "GrantBroker"  # before a Sid that another statement of the policy has
_POLICY_ACTION = "kms:GetKeyPolicy"  # within the key's own account only (KMS's permissions table)


@dataclass(frozen=True)
class Roles:
    """ARNs of the roles that work on keys."""

    requests: str
    approvals: str
    expiry: str
    reconcile: str

    @classmethod
    def of_stack(cls, stack: str, account: str) -> "Roles":
        """The roles of a stack, by the names that its template gives them."""
        names = ("requests", "approvals", "expiry", "reconcile")
        return cls(*(arns.role_arn(account, f"{stack}-{name}") for name in names))

    @property
    def account(self) -> str:
        """The broker's own account."""
        return account_of(self.expiry)


def statements(roles: Roles, operations: Sequence[str], key_arn: str) -> list[Json]:
    """The statements that the key's policy needs; `operations` is the widest set that any grant may hold."""
    needed = [
        _issue(roles, operations),
        _allow("ReadKey", roles.approvals, "kms:DescribeKey", _POLICY_ACTION, "kms:ListGrants"),
        _allow("ReadPolicy", [roles.requests, roles.expiry], _POLICY_ACTION),
        _allow("End", roles.expiry, "kms:ListGrants", "kms:RevokeGrant"),
        _allow("Compare", roles.reconcile, "kms:ListGrants"),
    ]
    return needed if _within(roles, key_arn) else [each for each in map(_abroad, needed) if each["Action"]]


def merged(present: Mapping[str, Any], needed: Sequence[Json], roles: Roles) -> Json:
    """The policy with the needed statements: older ones of ours replaced, all others left as they are."""
    left = {each["Sid"]: each for each in needed}
    present_ones = _listed(present.get("Statement", []))
    ours = [_own_sid(each, set(left), roles) for each in present_ones]
    # A Sid is unique in a policy: where another statement has it, ours gives way.
    taken = {each.get("Sid") for each, own in zip(present_ones, ours, strict=True) if own is None}

    def put(sid: str) -> list[Json]:
        found = left.pop(sid, None)
        return [{**found, "Sid": f"{_STAND_IN}{sid}" if sid in taken else sid}] if found else []

    kept = [
        part for each, own in zip(present_ones, ours, strict=True) for part in (put(own) if own else [each])
    ]
    return {**present, "Statement": [*kept, *(part for sid in list(left) for part in put(sid))]}


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """A unified diff of two policies; empty where nothing changes."""
    old, new = (json.dumps(each, indent=2).splitlines() for each in (before, after))
    return "\n".join(difflib.unified_diff(old, new, "present", "needed", lineterm=""))


def advice(roles: Roles, operations: Sequence[str], key_arn: str, present: str | None) -> Json:
    """All that an operator needs to open a key to the broker; `present` None where its policy is not known.

    ValueError where `present` is no policy.
    """
    needed = statements(roles, operations, key_arn)
    others = {"statements": needed, "role_policies": role_policies(roles, key_arn, operations)}
    if present is None:
        return {**others, "policy": None, "diff": None}
    before = json.loads(present)
    if not isinstance(before, dict):
        raise ValueError("a key policy is a JSON object")  # noqa: TRY004 - as for text that is no JSON
    after = merged(before, needed, roles)
    return {**others, "policy": after, "diff": difference(before, after)}


def role_policies(roles: Roles, key_arn: str, operations: Sequence[str]) -> dict[str, Json]:
    """For a key of another account: the IAM policy that each role needs besides, since both must allow."""
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
    left = [name for name in _listed(statement["Action"]) if name != _POLICY_ACTION]
    return {**statement, "Action": left[0] if len(left) == 1 else left}


def _own_sid(statement: Mapping[str, Any], sids: set[str], roles: Roles) -> str | None:
    """The Sid of ours that a present statement is a form of: of that Sid, for the broker's roles alone."""
    principal = statement.get("Principal")
    named = _listed(principal.get("AWS", [])) if isinstance(principal, Mapping) else []
    sid = str(statement.get("Sid", "")).removeprefix(_STAND_IN)
    mine = {roles.requests, roles.approvals, roles.expiry, roles.reconcile}
    return sid if sid in sids and named and mine.issuperset(named) else None


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value]
