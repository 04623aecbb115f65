"""Whether the encryption context of a call meets a grant's constraint."""

from collections.abc import Mapping
from enum import Enum

EQUALS, SUBSET = "EncryptionContextEquals", "EncryptionContextSubset"
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
    """Whether a call with this encryption context meets every constraint.

    An empty EncryptionContextSubset is met by every context, an empty EncryptionContextEquals by the empty
    one: whether KMS accepts a constraint without pairs is contested, what it would mean is not. A kind that
    is not known here, such as SourceArn on a grant to an AWS service, is met by nothing.
    """
    return all(_met(kind, wanted, case.pairs(context), case) for kind, wanted in constraints.items())


def _met(kind: str, wanted: object, given: _Pairs, case: KeyCase) -> bool:
    if not isinstance(wanted, Mapping):
        return False
    pairs = case.pairs(wanted)
    return (kind == EQUALS and given == pairs) or (kind == SUBSET and given >= pairs)


def no_weaker(
    constraints: Mapping[str, object], context: Mapping[str, str], kind: object, case: KeyCase
) -> bool:
    """Whether a new grant, constrained by `kind` to these pairs, is constrained at least as much.

    What must equal the parent's pairs can be passed on under EncryptionContextEquals to the same pairs only;
    what must contain them, under either kind to pairs that contain them.
    """
    allowed = {EQUALS: (EQUALS,), SUBSET: (EQUALS, SUBSET)}
    return met(constraints, context, case) and all(kind in allowed[parent] for parent in constraints)
