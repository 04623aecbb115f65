"""Check the broker's rights on each key: hourly, on request, and when a key is registered.

Each function checks its own right by itself: nobody else can tell what its role may do.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

from grant_broker.broker import Broker
from grant_broker.domain.checks import Check, Function
from grant_broker.domain.errors import KmsRefused, KmsUncertain, Stale
from grant_broker.domain.people import account_of
from grant_broker.domain.records import Change
from grant_broker.domain.scope import ENCRYPT_SIDE, Scope
from grant_broker.policy_engine import Call, decide_kms

_LOG = logging.getLogger(__name__)
_LONGEST = timedelta(seconds=15)  # the functions have 25 s; what is left is due in the next minute
_NOT_GRANTABLE = "the key's last check failed: the broker could not create or end grants on it"
_WORDS = {
    "AccessDeniedException": "kms:CreateGrant is not allowed: the key's policy lacks the statement Issue",
    "DisabledException": "the key is disabled",
    "KMSInvalidStateException": "the key's state allows no grants: it is pending deletion or import",
    "LimitExceededException": "the key holds as many grants as KMS allows",
    "NotFoundException": "KMS does not know the key",
}
Missing = Callable[[Broker, str], tuple[str, ...]]


def ask(broker: Broker, key_arn: str) -> Iterator[Change]:
    """For `commit`: both checks of a key, due at once."""
    for function in Function:
        yield _known(broker, function, key_arn).asked(broker.clock())


def stop(broker: Broker, key_arn: str) -> Iterator[Change]:
    """For `commit`: no checks of a key that is closed."""
    for function in Function:
        yield _known(broker, function, key_arn).stopped()


def of_key(broker: Broker, key_arn: str) -> list[Check]:
    """Both checks of a key as they are."""
    return [_known(broker, function, key_arn) for function in Function]


def not_grantable(broker: Broker, key_arn: str) -> str | None:
    """Why no grant may be made on the key, None where one may: so also where it was never checked."""
    return _NOT_GRANTABLE if any(check.failed for check in of_key(broker, key_arn)) else None


def run(broker: Broker, function: Function) -> int:
    """Make this function's checks that are due; how many. What is left when time is up stays due.

    A crash leaves a check due: it is only made again.
    """
    until, made, failed = broker.clock() + _LONGEST, 0, 0
    for due in broker.store.checks_due(function, int(broker.clock().timestamp())):
        if broker.clock() > until:
            break
        made += 1
        failed += _checked(broker, due)
    broker.measure("ChecksFailed", failed)
    return made


def _checked(broker: Broker, due: Check) -> bool:
    """Make one check; whether it failed."""
    find: Missing = {Function.REQUESTS: missing_to_create, Function.EXPIRY: missing_to_end}[due.function]
    # The index may be a moment behind.
    check = _known(broker, due.function, due.key_arn)
    try:
        missing = find(broker, check.key_arn)
        change = check.done(missing, now=broker.clock(), event_id=broker.new_id())
    except KmsUncertain as error:
        _LOG.warning("a check has no answer", extra={"key": check.key_arn, "code": error.code})
        change = check.unknown(broker.clock())
    try:
        broker.store.commit(change)
    except Stale:
        # Asked for, or made by another run, meanwhile: it is due again, or done.
        return False
    return change.record.failed


def missing_to_create(broker: Broker, key_arn: str) -> tuple[str, ...]:
    """What `requests` lacks to create grants, by a CreateGrant that KMS only tries (DryRun).

    The grantee is the broker's own role that ends grants: it exists, and no fence stands against it.
    Raises KmsUncertain.
    """
    key = broker.store.key(key_arn)
    offered = key.document.operations if key else ENCRYPT_SIDE
    # What the stack grants no more fails by itself, and says nothing about the key.
    operations = tuple(name for name in offered if name in broker.settings.grantable_operations) or offered
    scope = Scope(operations=operations, encryption_context={"grant-broker": "check"})
    own = broker.settings.retiring_principal
    try:
        broker.kms.try_grant(key_arn=key_arn, grantee=own, retiring_principal=own, scope=scope)
    except KmsRefused as error:
        return (_WORDS.get(error.code, f"KMS refuses CreateGrant: {error.code}"),)
    return ()


def missing_to_end(broker: Broker, key_arn: str) -> tuple[str, ...]:
    """What `expiry` lacks to end grants other than by retiring, which needs no policy.

    KMS tries no RevokeGrant without a grant, so the key's policy is asked. KMS shows that within the key's
    own account only: of another's, ListGrants is all that can be tried. Raises KmsUncertain.
    """
    own = broker.settings.retiring_principal
    try:
        if account_of(key_arn) != account_of(own):
            broker.kms.entries(key_arn, limit=1)
            return ()
        policy = broker.kms.key_policy(key_arn)
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


def _known(broker: Broker, function: Function, key_arn: str) -> Check:
    return broker.store.check(function, key_arn) or Check(function=function, key_arn=key_arn)
