"""Why KMS allows or refuses a call: one cause, one sentence, one next step."""

from enum import StrEnum
from typing import NamedTuple


class Cause(StrEnum):
    """What decides a call under a request's grant."""

    ALLOWED = "allowed"
    DEPENDS = "depends"
    """Not by this grant, but the key policy leaves it to what cannot be seen from here."""
    NO_GRANT = "no_grant"
    ENDED = "ended"
    ANOTHER_KEY = "another_key"
    ANOTHER_PRINCIPAL = "another_principal"
    OPERATION_NOT_GRANTED = "operation_not_granted"
    TOO_LARGE = "too_large"
    CONTEXT_DIFFERS = "context_differs"
    CONTEXT_NOT_TOLD = "context_not_told"
    """The grant needs an encryption context, and nobody said which one the call sent."""
    KEY_UNUSABLE = "key_unusable"
    NOT_SPREAD_YET = "not_spread_yet"
    NOT_BY_THIS_GRANT = "not_by_this_grant"
    """The grant allows it; another policy on the way to the key denies it."""
    NOT_ABOUT_ACCESS = "not_about_access"
    """KMS refused it for another reason than who may call."""


class Explanation(NamedTuple):
    """The cause, the sentence that says it, and the one thing to do next."""

    cause: Cause
    because: str
    next: str
