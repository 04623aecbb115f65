"""Whether a call meets a grant's constraints."""

from collections.abc import Mapping
from enum import Enum

EQUALS, SUBSET, SOURCE_ARN = "EncryptionContextEquals", "EncryptionContextSubset", "SourceArn"
_Pairs = frozenset[tuple[str, str]]


class KeyCase(Enum):
    """Whether the keys of a constraint's pairs ignore case. Values never do.

    AWS's own pages contradict each other: the API reference (GrantConstraints, 2026) says that keys are not
    case-sensitive, the developer guide of 2023 that they are. This is the one place where a reading is
    chosen. The default, IGNORED, lets more calls meet a constraint: whoever asks who may use a key must be
    told of an access that may exist rather than miss one that does. A ciphertext is bound to the exact
    context in either reading.
    """

    IGNORED = "ignored"
    EXACT = "exact"

    def pairs(self, context: Mapping[str, str]) -> _Pairs:
        """The pairs as this reading compares them."""
        if self is KeyCase.EXACT:
            return frozenset(context.items())
        return frozenset((key.lower(), value) for key, value in context.items())


def met(constraints: Mapping[str, object], context: Mapping[str, str], case: KeyCase) -> bool:
    """Whether a call with this encryption context meets the constraints on it.

    An empty EncryptionContextSubset is met by every context, an empty EncryptionContextEquals by the empty
    one: whether KMS accepts a constraint without pairs is contested, what it would mean is not. A kind that
    is not known here is met by nothing.
    """
    given = case.pairs(context)
    return all(_met(kind, wanted, given, case) for kind, wanted in constraints.items() if kind != SOURCE_ARN)


def _met(kind: str, wanted: object, given: _Pairs, case: KeyCase) -> bool:
    if not isinstance(wanted, Mapping):
        return False
    pairs = case.pairs(wanted)
    return (kind == EQUALS and given == pairs) or (kind == SUBSET and given >= pairs)


def for_source(constraints: Mapping[str, object], source_arn: object) -> bool:
    """Whether a call made for this resource (`aws:SourceArn`) meets a constraint by SourceArn, if any.

    Only AWS services call for a resource: a direct call has no `aws:SourceArn` and meets none.
    """
    return SOURCE_ARN not in constraints or constraints[SOURCE_ARN] == source_arn


def no_weaker(
    constraints: Mapping[str, object], context: Mapping[str, str], kind: object, case: KeyCase
) -> bool:
    """Whether a new grant, constrained by `kind` to these pairs, is constrained at least as much.

    What must equal the parent's pairs can be passed on under EncryptionContextEquals to the same pairs only;
    what must contain them, under either kind to pairs that contain them.
    """
    if EQUALS in constraints and kind != EQUALS:
        return False
    if SUBSET in constraints and kind not in (EQUALS, SUBSET):
        return False
    return met(constraints, context, case)
