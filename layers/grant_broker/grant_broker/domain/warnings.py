"""What a requester should know before anybody decides on a request, or before its grant is used."""

from grant_broker.domain.preflight import Known, Preflight
from grant_broker.domain.scope import ContextMatch, Scope

# The pair that the AWS Encryption SDK's default algorithm suite, which signs, adds to every context.
_SIGNATURE = "aws-crypto-public-key"
_DATA_KEYS = frozenset({"GenerateDataKey", "GenerateDataKeyWithoutPlaintext"})
_SMALL = "Encrypt takes at most 4,096 bytes: to encrypt more, ask for GenerateDataKey as well"
_UNSIGNED = (
    f"the AWS Encryption SDK's default algorithm suite adds the pair {_SIGNATURE}, which equals refuses: "
    "ask for subset, or use a suite without signing"
)


def warnings(scope: Scope, found: Preflight | None) -> list[str]:
    """What makes the grant impossible, needless or less than it seems, and what to do about it."""
    return [*(obstacles(found) if found else ()), *_shortcomings(scope)]


def obstacles(found: Preflight) -> list[str]:
    """What makes the grant impossible or needless, by what was found out when it was asked for."""
    told = (
        (found.has_access, Known.YES, "the grantee has this access already"),
        (found.grantee_accepted, Known.NO, "KMS does not accept the grantee"),
        (found.key_usable, Known.NO, "the key cannot be used"),
        (found.can_create, Known.NO, "the broker cannot create the grant"),
    )
    return [f"{words}: {answer.reason}" for answer, known, words in told if answer.answer == known]


def _shortcomings(scope: Scope) -> list[str]:
    makes_data_keys = not _DATA_KEYS.isdisjoint(scope.operations)
    signs = scope.context_match == ContextMatch.EQUALS and _SIGNATURE not in scope.encryption_context
    told = (
        ("Encrypt" in scope.operations and not makes_data_keys, _SMALL),
        (makes_data_keys and signs, _UNSIGNED),
    )
    return [words for holds, words in told if holds]
