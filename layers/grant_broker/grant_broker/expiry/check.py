"""Check whether `expiry` could end grants on a key: only the role itself can tell."""

from functools import partial

from grant_broker.domain.arns import account_of
from grant_broker.domain.checks import Function
from grant_broker.domain.errors import KmsRefused
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.keys import checks
from grant_broker.policy_engine import Call, decide_kms


def run(broker: ExpiryBroker) -> int:
    """Make this function's checks that are due; how many."""
    return checks.run(broker, Function.EXPIRY, partial(missing_to_end, broker))


def missing_to_end(broker: ExpiryBroker, key_arn: str) -> tuple[str, ...]:
    """Find what `expiry` lacks to end grants other than by retiring, which needs no policy.

    KMS tries no RevokeGrant without a grant, so the key's policy is asked. KMS shows that within the key's
    own account only: of another's, ListGrants is all that can be tried. Raises KmsUncertain.
    """
    own = broker.settings.retiring_principal
    try:
        if account_of(key_arn) != account_of(own):
            broker.kms.list_grants_page(key_arn, limit=1)
            return ()
        policy = broker.kms.get_key_policy(key_arn)
    except KmsRefused as error:
        return (f"KMS refuses to show the key's policy or grants: {error.code}",)
    found = (_not_allowed(own, action, key_arn, policy) for action in ("kms:ListGrants", "kms:RevokeGrant"))
    return tuple(words for words in found if words)


def _not_allowed(role: str, action: str, key_arn: str, policy: str) -> str | None:
    account = account_of(role)
    context = {"aws:PrincipalArn": role, "aws:PrincipalAccount": account, "kms:CallerAccount": account}
    try:
        decision = decide_kms(Call(role, action, key_arn, context), key_policy=policy, identity_policies=[])
    except ValueError as error:
        return f"{action} cannot be decided: {error}"
    return None if decision.allowed else f"{action} is not allowed: {decision.reason}"
