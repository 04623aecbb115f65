"""Check whether `requests` could create grants on a key: only the role itself can tell."""

from functools import partial

from grant_broker.domain.arns import account_of
from grant_broker.domain.checks import UNKNOWN, CheckOutcome, Function, Result
from grant_broker.keys import checks
from grant_broker.keys.key_policy import find_key_policy
from grant_broker.keys.policy_reading import read
from grant_broker.policy_engine import Call
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.check_examples import Example, find_examples, made_up_example

_NO_ISSUE = "kms:CreateGrant is not allowed: the key's policy lacks the statement Issue"
# What KMS says of the key, whoever the grantee is.
_WORDS = {
    "DisabledException": "the key is disabled",
    "KMSInvalidStateException": "the key's state allows no grants: it is pending deletion or import",
    "LimitExceededException": "the key holds as many grants as KMS allows",
    "NotFoundException": "KMS does not know the key",
}
_NO_PRINCIPAL = "InvalidArnException"
_MOST = 3  # grantees: one was deleted since, another a narrower policy leaves out


def run(broker: RequestsBroker) -> int:
    """Make this function's checks that are due; how many."""
    return checks.run(broker, Function.REQUESTS, partial(check_key, broker))


def check_key(broker: RequestsBroker, key_arn: str) -> CheckOutcome:
    """Find what `requests` lacks to create grants, by CreateGrants that KMS only tries (DryRun).

    A key policy may be narrower than ours, as AWS advises: grantees under a path, some operations. So what is
    tried is what would really be granted, and a refusal speaks of that grantee alone. It is the key that
    fails where KMS says so, or where its policy allows no grant of ours to anybody; else nothing is certain.

    Last a role is named that does not exist, never one of the stack's. Where the policy allows the rest, and
    KMS objects to nothing else, all is in order. Raises KmsUncertain.
    """
    if (key := broker.store.find_key(key_arn)) is None:
        return UNKNOWN
    policy = find_key_policy(broker.kms, key_arn)
    nobody = made_up_example(broker, key)
    for example in (*find_examples(broker, key, most=_MOST), nobody):
        refusal = broker.try_grant(example.key_arn, example.grantee, example.scope)
        if refusal in _WORDS:
            return CheckOutcome.of(_WORDS[refusal])
        granted = refusal is None
        if granted or (refusal == _NO_PRINCIPAL and _read(broker, policy, example) == Result.PASSED):
            return CheckOutcome.of()
    return CheckOutcome.of(_NO_ISSUE) if _read(broker, policy, nobody) == Result.FAILED else UNKNOWN


def _read(broker: RequestsBroker, policy: str | None, example: Example) -> Result | None:
    """What the key's policy says of the grant; None where it is not shown, cannot be read, or it depends."""
    role, constraints = broker.settings.requests_role, example.scope.constraints
    if policy is None or account_of(example.key_arn) != account_of(role):
        return None
    certain = {
        "aws:PrincipalArn": role,
        "aws:PrincipalAccount": account_of(role),
        "kms:CallerAccount": account_of(role),
        "kms:RetiringPrincipal": broker.settings.retiring_principal,
    }
    [(kind, pairs)] = constraints.items()
    assumed: dict[str, object] = {
        "kms:GranteePrincipal": example.grantee,
        "kms:GrantOperations": list(example.scope.operations),
        "kms:GrantConstraintType": kind,
        "kms:EncryptionContextKeys": list(pairs),
        **{f"kms:EncryptionContext:{name}": value for name, value in pairs.items()},
    }
    try:
        return read(policy, Call(role, "kms:CreateGrant", example.key_arn, certain), assumed).result
    except ValueError:
        return None
