"""Whether a grantee has what it asks for already, as far as the key's policy tells."""

from collections.abc import Mapping
from enum import StrEnum

from grant_broker.domain.arns import account_of, role_behind
from grant_broker.domain.preflight import Finding, Known
from grant_broker.domain.scope import Scope
from grant_broker.policy_engine import Call, decide_kms, parse_policy
from grant_broker.policy_engine.conditions import normalise
from grant_broker.policy_engine.principals import Match, caller

_ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}


class _Held(StrEnum):
    YES = "yes"
    BY_IAM = "the IAM policies of the grantee's account decide"
    BY_CONDITIONS = "conditions on the call itself decide"
    NO = "no"


def has_access(policy: str, *, grantee: str, scope: Scope, key_arn: str) -> Finding:
    """Whether the key policy gives the grantee already what is asked for.

    ValueError for a policy that AWS would not have stored.
    """
    held = {name: _held(policy, grantee, name, scope, key_arn) for name in scope.operations}
    already = [name for name, found in held.items() if found == _Held.YES]
    if len(already) == len(held):
        return Finding(
            answer=Known.YES, reason=f"the key policy lets it do all of this: {', '.join(already)}"
        )
    for open_question in (_Held.BY_IAM, _Held.BY_CONDITIONS):
        if names := [name for name, found in held.items() if found == open_question]:
            return Finding(answer=Known.UNKNOWN, reason=f"of {', '.join(names)} {open_question}")
    some = f"the key policy lets it do only {', '.join(already)}" if already else ""
    return Finding(answer=Known.NO, reason=some or "the key policy lets it do none of this")


def _held(policy: str, grantee: str, operation: str, scope: Scope, key_arn: str) -> _Held:
    context = _context(grantee, scope)
    call = Call(grantee, f"kms:{operation}", key_arn, context)
    if decide_kms(call, key_policy=policy, identity_policies=[]).allowed:
        return _Held.YES
    if decide_kms(call, key_policy=policy, identity_policies=[_ANYTHING]).allowed:
        return _Held.BY_IAM
    return _Held.BY_CONDITIONS if _depends(policy, call) else _Held.NO


def _depends(policy: str, call: Call) -> bool:
    """Whether a statement would let the grantee through but for conditions on what is not known yet."""
    context, action = normalise(call.context), call.action.lower()
    who = caller(call.principal_arn, context)
    return any(
        statement.allow
        and statement.complete
        and statement.concerns(action)
        and statement.takes_in(who) is not Match.NO
        and any(condition.key not in context for condition in statement.conditions)
        for statement in parse_policy(policy).statements
    )


def _context(grantee: str, scope: Scope) -> Mapping[str, object]:
    account = account_of(grantee)
    return {
        # Conditions on a role's path are not met by a session, whose ARN leaves it out.
        "aws:PrincipalArn": role_behind(grantee),
        "aws:PrincipalAccount": account,
        "kms:CallerAccount": account,
        "kms:EncryptionContextKeys": list(scope.encryption_context),
        **{f"kms:EncryptionContext:{key}": value for key, value in scope.encryption_context.items()},
    }
