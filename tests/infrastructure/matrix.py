"""Who can use the founding scenario's key: the template's own key policy and roles through the engine.

`python -m tests.infrastructure.matrix` prints it as Markdown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from grant_broker.access_report import KEY_ACTIONS
from grant_broker.policy_engine import Call, Decision, Verdict, decide_kms
from tests.infrastructure.stack import deployed, key_policy
from tests.local_stack.people import HOME

_CONTEXT = {"tenant": "a"}
_MARKS = {Verdict.ALLOWED: "yes", Verdict.IMPLICITLY_DENIED: "·", Verdict.EXPLICITLY_DENIED: "never"}
# Column: a person, or a function of the stack. All but one are asked while the partner's grant lives.
_COLUMNS = {
    "root user": "root",
    "key admin": "key_admin",
    "security team": "alice",
    "data reader": "data_reader",
    "partner": "partner",
    "partner, granted": "partner",
    "its colleague": "partner_colleague",
    "outsider": "outsider",
    "`requests`": "requests",
    "`approvals`": "approvals",
    "`expiry`": "expiry",
    "`reconcile`": "reconcile",
    "`events`": "events",
}
_WITHOUT_GRANT = "partner"


@dataclass(frozen=True)
class _Who:
    """A caller as KMS sees it: the session, the role behind it, the role's policies."""

    arn: str
    role: str
    policies: list[dict[str, Any]]


@cache
def _who(name: str) -> _Who:
    stack = deployed()
    person = stack.people.get(name)
    if person and person.grantee is None:
        return _Who(person.credentials.arn, person.credentials.arn, [])
    role = str(person.grantee) if person else stack.functions[name].role
    arn = person.credentials.arn if person else stack.credentials(name).arn
    return _Who(arn, role, list(stack.cloud.directory.principals[role].policies))


def _grant() -> dict[str, Any]:
    """The partner's grant, as the broker makes it."""
    return {
        "GrantId": "g", "GranteePrincipal": _who("partner").role, "Operations": ["Encrypt"],
        "RetiringPrincipal": _who("expiry").role, "IssuingAccount": f"arn:aws:iam::{HOME}:root",
        "Constraints": {"EncryptionContextEquals": _CONTEXT},
    }  # fmt: skip


def decision(column: str, action: str) -> Decision:
    """Whether this principal may call this action on the founding key, with the agreed encryption context.

    A CreateGrant asks for a grant such as the broker makes; RetireGrant is about the partner's grant.
    """
    who = _who(_COLUMNS[column])
    context: dict[str, object] = {
        "aws:PrincipalArn": who.role, "kms:CallerAccount": who.arn.split(":")[4],
        "kms:EncryptionContextKeys": list(_CONTEXT),
        **{f"kms:EncryptionContext:{key}": value for key, value in _CONTEXT.items()},
    }  # fmt: skip
    if action == "kms:CreateGrant":
        context |= {
            "kms:GranteePrincipal": _who("partner").role, "kms:RetiringPrincipal": _who("expiry").role,
            "kms:GrantOperations": ["Encrypt"], "kms:GrantConstraintType": "EncryptionContextEquals",
        }  # fmt: skip
    call = Call(who.arn, action, deployed().keys["partner_data"], context)
    grants = [] if column == _WITHOUT_GRANT else [_grant()]
    return decide_kms(call, key_policy=key_policy(), identity_policies=who.policies, grants=grants)


def columns() -> tuple[str, ...]:
    """The principals of the founding scenario."""
    return tuple(_COLUMNS)


def markdown() -> Iterator[str]:
    """The table: a line for each action of KMS on a key, a column for each principal."""
    yield f"| action | {' | '.join(_COLUMNS)} |"
    yield f"|---|{'---|' * len(_COLUMNS)}"
    for action in KEY_ACTIONS:
        cells = (_MARKS[decision(column, action).verdict] for column in _COLUMNS)
        yield f"| {action.removeprefix('kms:')} | {' | '.join(cells)} |"


if __name__ == "__main__":
    print("\n".join(markdown()))
