"""What a key's policy says of a call of which not everything is known before it is made."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grant_broker.domain.checks import Result
from grant_broker.policy_engine import Call, decide_kms

# Certain to be absent from the broker's own calls: no service makes them.
_ABSENT = frozenset({"kms:viaservice", "kms:grantisforawsresource"})


@dataclass(frozen=True)
class Reading:
    """Whether the policy lets the call through, and why. `result` None: it depends on what is not known."""

    result: Result | None
    reason: str


def read(policy: str, call: Call, assumed: Mapping[str, object]) -> Reading:
    """Tell what the policy alone says of a call by a role of the policy's own account.

    `call` holds what is certain of its request context, `assumed` what else it would hold. PASSED: it lets
    the call through as assumed. FAILED: it lets no call through, whatever the rest of the context. ValueError
    for a policy that KMS would not take.
    """
    as_assumed = call._replace(context={**call.context, **assumed})
    decision = decide_kms(as_assumed, key_policy=policy, identity_policies=[])
    if decision.allowed:
        return Reading(Result.PASSED, decision.reason)
    certain = _ABSENT | {name.lower() for name in call.context}
    widest = widened(json.loads(policy), lambda key: key in certain)
    possible = decide_kms(call, key_policy=widest, identity_policies=[]).allowed
    return Reading(None if possible else Result.FAILED, decision.reason)


def widened(policy: dict[str, Any], is_certain: Callable[[str], bool]) -> dict[str, Any]:
    """The policy where every condition on what is not certain goes the caller's way.

    `is_certain` is asked of a condition key in lower case.
    """
    listed = policy["Statement"]
    statements = listed if isinstance(listed, list) else [listed]
    return {**policy, "Statement": [each for one in statements for each in _wider(one, is_certain)]}


def _wider(statement: dict[str, Any], is_certain: Callable[[str], bool]) -> Iterator[dict[str, Any]]:
    given: dict[str, dict[str, Any]] = statement.get("Condition", {})
    kept = {
        operator: {key: value for key, value in keys.items() if is_certain(key.lower())}
        for operator, keys in given.items()
    }
    if kept == given:
        yield statement
    elif statement["Effect"] == "Allow":
        yield {**statement, "Condition": {operator: keys for operator, keys in kept.items() if keys}}
