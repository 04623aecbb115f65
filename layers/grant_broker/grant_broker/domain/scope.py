"""What a grant lets its grantee do: operations under an encryption-context constraint."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from grant_broker.domain.texts import CLEAN, VISIBLE, Documented, Form, clean, visible

ENCRYPT_SIDE = ("Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptTo", "DescribeKey")
"""What a key offers unless its limits say otherwise: writing, not reading."""

# Every grant operation of a symmetric encryption key (CreateGrant, "Operations"), but CreateGrant: a
# grantee that may grant could outlive its own grant. Known names only, so that a new one fails closed.
OPERATIONS = (
    *ENCRYPT_SIDE,
    "Decrypt",
    "ReEncryptFrom",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
)
PAIRS = 8
CHARACTERS = 384


class ContextMatch(StrEnum):
    """How a grant's constraint compares the encryption context: EncryptionContextEquals or -Subset."""

    EQUALS = "equals"
    SUBSET = "subset"


def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    unknown = sorted(set(names) - set(OPERATIONS))
    if unknown:
        raise ValueError(f"not grantable: {', '.join(unknown)}; known are {', '.join(OPERATIONS)}")
    return tuple(name for name in OPERATIONS if name in names)


def _pairs(context: dict[str, str]) -> dict[str, str]:
    # KMS compares constraint keys without regard to case, ciphertexts with: keys that differ only by
    # case would mean different things to the two.
    if len({key.casefold() for key in context}) < len(context):
        raise ValueError("keys must differ by more than case")
    return dict(sorted(context.items()))


_ContextKey = Annotated[
    str, StringConstraints(min_length=1, max_length=CHARACTERS), AfterValidator(clean), CLEAN
]
_ContextValue = Annotated[str, StringConstraints(max_length=CHARACTERS), AfterValidator(clean), CLEAN]
_VisibleKey = Annotated[_ContextKey, AfterValidator(visible), VISIBLE]
_VisibleValue = Annotated[_ContextValue, AfterValidator(visible), VISIBLE]
_Operation = Annotated[
    str,
    Form(re.compile(r"(?:kms:)?[A-Za-z]{1,64}"), "give KMS's own names of operations, such as Encrypt"),
    # As a policy writes it.
    AfterValidator(lambda name: name.removeprefix("kms:")),
    Documented((("enum", (*OPERATIONS, *(f"kms:{name}" for name in OPERATIONS))),)),
]
Operations = Annotated[tuple[_Operation, ...], Field(min_length=1, max_length=64), AfterValidator(_in_order)]
Context = Annotated[
    dict[_ContextKey, _ContextValue], Field(min_length=1, max_length=PAIRS), AfterValidator(_pairs)
]
AskedContext = Annotated[
    dict[_VisibleKey, _VisibleValue], Field(min_length=1, max_length=PAIRS), AfterValidator(_pairs)
]
"""As submitted. What was stored before invisible characters were refused is still read, so that it ends."""
RequiredContext = Annotated[dict[_ContextKey, _ContextValue], Field(max_length=PAIRS), AfterValidator(_pairs)]


class Scope(BaseModel):
    """Operations, encryption context and how it is matched."""

    model_config = ConfigDict(frozen=True)

    operations: Operations
    encryption_context: Context
    context_match: ContextMatch = ContextMatch.EQUALS

    @property
    def constraints(self) -> dict[str, Any]:
        """KMS's `Constraints` for this scope."""
        kind = (
            "EncryptionContextEquals"
            if self.context_match == ContextMatch.EQUALS
            else "EncryptionContextSubset"
        )
        return {kind: dict(self.encryption_context)}

    def excess_over(self, approved: "Scope") -> str | None:
        """What this scope allows beyond the approved one, in words, or None: set inclusion of calls."""
        if extra := [name for name in self.operations if name not in approved.operations]:
            return f"operations {', '.join(extra)} are not approved"
        if approved.context_match == ContextMatch.SUBSET:
            fits = contains(self.encryption_context, approved.encryption_context)
        else:
            fits = (
                self.context_match == ContextMatch.EQUALS
                and self.encryption_context == approved.encryption_context
            )
        return None if fits else "the encryption context is not within the approved one"

    def meets(self, other: "Scope") -> bool:
        """Whether there is an encryption context that both allow."""
        # KMS may ignore the case of a constraint's keys: what may be allowed by both counts as allowed.
        mine, theirs = (_without_case(scope.encryption_context) for scope in (self, other))
        if self.context_match == other.context_match == ContextMatch.EQUALS:
            return mine == theirs
        if self.context_match == ContextMatch.EQUALS:
            return contains(mine, theirs)
        if other.context_match == ContextMatch.EQUALS:
            return contains(theirs, mine)
        return all(mine[key] == theirs[key] for key in mine.keys() & theirs.keys())


def _without_case(context: Mapping[str, str]) -> dict[str, str]:
    return {key.casefold(): value for key, value in context.items()}


def contains(context: Mapping[str, str], pairs: Mapping[str, str]) -> bool:
    """Whether the context holds all the pairs, keys and values compared exactly."""
    return all(context.get(key) == value for key, value in pairs.items())
