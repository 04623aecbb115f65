"""Check whether `requests` could create grants on a key: only the role itself can tell."""

from functools import partial

from grant_broker.domain.checks import Function
from grant_broker.domain.errors import KmsRefused
from grant_broker.domain.scope import ENCRYPT_SIDE, Scope
from grant_broker.keys import checks
from grant_broker.requests.broker import RequestsBroker

_WORDS = {
    "AccessDeniedException": "kms:CreateGrant is not allowed: the key's policy lacks the statement Issue",
    "DisabledException": "the key is disabled",
    "KMSInvalidStateException": "the key's state allows no grants: it is pending deletion or import",
    "LimitExceededException": "the key holds as many grants as KMS allows",
    "NotFoundException": "KMS does not know the key",
}


def run(broker: RequestsBroker) -> int:
    """Make this function's checks that are due; how many."""
    return checks.run(broker, Function.REQUESTS, partial(missing_to_create, broker))


def missing_to_create(broker: RequestsBroker, key_arn: str) -> tuple[str, ...]:
    """Find what `requests` lacks to create grants, by a CreateGrant that KMS only tries (DryRun).

    The grantee is the broker's own role that ends grants: it exists, and no fence stands against it.
    Raises KmsUncertain.
    """
    key = broker.store.find_key(key_arn)
    offered = key.document.operations if key else ENCRYPT_SIDE
    # What the stack grants no more fails by itself, and says nothing about the key.
    operations = tuple(name for name in offered if name in broker.settings.grantable_operations) or offered
    scope = Scope(operations=operations, encryption_context={"grant-broker": "check"})
    own = broker.settings.retiring_principal
    try:
        broker.issuer.try_create_grant(key_arn=key_arn, grantee=own, retiring_principal=own, scope=scope)
    except KmsRefused as error:
        return (_WORDS.get(error.code, f"KMS refuses CreateGrant: {error.code}"),)
    return ()
