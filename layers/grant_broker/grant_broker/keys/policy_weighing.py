"""Weigh a call by the whole key policy and the caller's other grants, beside one request's own grant."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grant_broker.access_report.why import JudgedCall
from grant_broker.access_report.why.codes import key_unusable
from grant_broker.access_report.why.explain import WITHOUT_CONTEXT
from grant_broker.domain.arns import account_of, find_session_name, role_behind
from grant_broker.domain.cause import Cause, Explanation
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.request import GrantRequest
from grant_broker.keys.policy_reading import widened
from grant_broker.policy_engine import Call, Decision, Verdict, decide_kms

# In the place of the IAM policies of the caller's account, which nobody here can read.
_ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
_ENCRYPTION_CONTEXT = "kms:encryptioncontext"
# A call that one request's grant does not allow may be allowed by something else.
_BESIDE = frozenset(
    {
        Cause.NO_GRANT,
        Cause.ENDED,
        Cause.ANOTHER_PRINCIPAL,
        Cause.OPERATION_NOT_GRANTED,
        Cause.CONTEXT_DIFFERS,
    }
)
_BY_GRANT = frozenset({Cause.ALLOWED, Cause.NOT_SPREAD_YET, Cause.NOT_BY_THIS_GRANT})


@dataclass(frozen=True)
class Surroundings:
    """What else decides on the key: its policy, None where KMS does not show it, and the caller's grants.

    `key_fault` is why KMS lets nobody use the key, None where it can be used or that is not known.
    """

    policy: str | None
    grants: Sequence[ListedGrant]
    key_fault: str | None = None


def weigh(own: Explanation, request: GrantRequest, call: JudgedCall, around: Surroundings) -> Explanation:
    """Complete an explanation by the request alone.

    A Deny of the key policy that holds whatever the rest of the call goes first. What the grant does not
    allow may be allowed by something else, or depend on what is not known: the call's other circumstances,
    and the IAM policies of the caller's account. ValueError for a policy that KMS would not have stored.
    """
    if around.policy is None or own.cause not in _BESIDE | _BY_GRANT:
        return own
    known, widest = _decide(around.policy, request, call, around.grants)
    if widest.verdict is Verdict.EXPLICITLY_DENIED:
        because = f"Not by this grant: {_words(widest)}"
        return Explanation(Cause.NOT_BY_THIS_GRANT, because, "Change that statement of the key policy.")
    if own.cause in _BY_GRANT:
        return _beside_grant(own, call, known)
    if call.refusal:
        return own
    if widest.allowed and around.key_fault and call.action not in WITHOUT_CONTEXT:
        return key_unusable(around.key_fault)
    return _without_grant(own, known, widest)


def _beside_grant(own: Explanation, call: JudgedCall, known: Decision) -> Explanation:
    """Explain what the grant allows, where a statement may deny it by conditions that are not known."""
    if known.verdict is not Verdict.EXPLICITLY_DENIED or own.cause == Cause.NOT_SPREAD_YET:
        return own
    then = "Compare the statement's conditions with the call: its network, time and service."
    if call.refusal:
        because = f"Not by this grant: {_words(known)[:-1]}, where its conditions hold."
        return Explanation(Cause.NOT_BY_THIS_GRANT, because, then)
    return Explanation(
        Cause.DEPENDS, f"The grant allows it, and where its conditions hold {_words(known)}", then
    )


def _without_grant(own: Explanation, known: Decision, widest: Decision) -> Explanation:
    """Explain what the grant does not allow, where something else may."""
    if known.allowed:
        because = f"Not by this grant, but allowed: {_words(known)} ({own.because[:-1]})"
        return Explanation(Cause.ALLOWED, because, "Nothing is needed.")
    if widest.allowed:
        because = f"By this grant no, and otherwise it depends: {_words(widest)} ({own.because[:-1]})"
        return Explanation(
            Cause.DEPENDS,
            because,
            "Look at the IAM policies of the caller, and at that statement's conditions.",
        )
    return own


def _decide(
    policy: str, request: GrantRequest, call: JudgedCall, grants: Sequence[ListedGrant]
) -> tuple[Decision, Decision]:
    """Decide by what is known alone, and with everything that is not known going the caller's way."""
    asked, listed = _asked(request, call), [_entry(grant) for grant in grants]
    certain = {name.lower() for name in asked.context}
    if find_session_name(call.principal) and not call.is_by(request.grantee):
        # STS leaves the role's path out, and a condition may name it.
        certain -= {"aws:principalarn"}

    def is_certain(key: str) -> bool:
        return key in certain or key.startswith(_ENCRYPTION_CONTEXT)

    widest = widened(json.loads(policy), is_certain)
    return (
        decide_kms(asked, key_policy=policy, identity_policies=[], grants=listed),
        decide_kms(asked, key_policy=widest, identity_policies=[_ANYTHING], grants=listed),
    )


def _asked(request: GrantRequest, call: JudgedCall) -> Call:
    by_grantee = call.is_by(request.grantee) and find_session_name(call.principal)
    account = account_of(call.principal)
    context_pairs = {} if call.action in WITHOUT_CONTEXT else dict(call.context)
    pairs = {f"kms:EncryptionContext:{key}": value for key, value in context_pairs.items()}
    context: dict[str, object] = {
        "aws:PrincipalArn": role_behind(request.grantee if by_grantee else call.principal),
        "aws:PrincipalAccount": account,
        "kms:CallerAccount": account,
        "aws:ResourceAccount": account_of(request.key_arn),
        **pairs,
        **({"kms:EncryptionContextKeys": list(context_pairs)} if pairs else {}),
    }
    return Call(call.principal, f"kms:{call.action}", request.key_arn, context, context_pairs)


def _entry(grant: ListedGrant) -> dict[str, Any]:
    return {
        "GrantId": grant.grant_id,
        "GranteePrincipal": grant.grantee,
        "Operations": list(grant.operations),
        "Constraints": dict(grant.constraints),
    }


def _words(decision: Decision) -> str:
    """The decision's reason, to stand within a sentence."""
    return decision.reason[:1].lower() + decision.reason[1:]
