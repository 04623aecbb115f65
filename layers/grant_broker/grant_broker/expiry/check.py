"""Check whether `expiry` could end grants on a key: only the role itself can tell."""

from functools import partial

from grant_broker.domain.arns import account_of
from grant_broker.domain.checks import UNKNOWN, CheckOutcome, Function, Result
from grant_broker.domain.errors import KmsRefused
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.keys import checks
from grant_broker.keys.policy_reading import Reading, read
from grant_broker.policy_engine import Call


def run(broker: ExpiryBroker) -> int:
    """Make this function's checks that are due; how many."""
    return checks.run(broker, Function.EXPIRY, partial(check_key, broker))


def check_key(broker: ExpiryBroker, key_arn: str) -> CheckOutcome:
    """Find what `expiry` lacks to end grants other than by retiring, which needs no policy.

    KMS tries no RevokeGrant without a grant, so the key's policy is asked. KMS shows that within the key's
    own account only: of another's, ListGrants is all that can be tried. Raises KmsUncertain.
    """
    own = broker.settings.retiring_principal
    try:
        if account_of(key_arn) != account_of(own):
            broker.kms.list_grants_page(key_arn, limit=1)
            return CheckOutcome.of()
        policy = broker.kms.get_key_policy(key_arn)
    except KmsRefused as error:
        return CheckOutcome.of(f"KMS refuses to show the key's policy or grants: {error.code}")
    found = [_read(own, action, key_arn, policy) for action in ("kms:ListGrants", "kms:RevokeGrant")]
    missing = [each.reason for each in found if each.result == Result.FAILED]
    if not missing and any(each.result is None for each in found):
        return UNKNOWN
    return CheckOutcome.of(*missing)


def _read(role: str, action: str, key_arn: str, policy: str) -> Reading:
    account = account_of(role)
    context = {"aws:PrincipalArn": role, "aws:PrincipalAccount": account, "kms:CallerAccount": account}
    try:
        found = read(policy, Call(role, action, key_arn, context), {})
    except ValueError as error:
        return Reading(Result.FAILED, f"{action} cannot be decided: {error}")
    return Reading(found.result, f"{action} is not allowed: {found.reason}")
