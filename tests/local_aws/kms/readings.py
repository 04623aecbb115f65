"""What AWS documents in two ways, or not at all: one reading each, to be changed for a test."""

from dataclasses import dataclass
from datetime import timedelta

from grant_broker.policy_engine import KeyCase


@dataclass
class Readings:
    """The readings that a KMS follows. A test that rests on one of them runs under the other too."""

    accepts_empty_constraints: bool = False
    """Whether CreateGrant takes `Constraints` without a kind, and a kind without pairs.

    An AWS service's guide shows a grant made with an empty EncryptionContextSubset; nothing says what KMS
    does for other callers. Accepted, `{}` constrains nothing, an empty EncryptionContextSubset neither, and
    an empty EncryptionContextEquals is met without an encryption context alone.
    """

    constraint_keys: KeyCase = KeyCase.IGNORED
    """Whether the keys of a constraint's pairs ignore case: see KeyCase."""

    ids_shown_for: timedelta = timedelta(0)
    """For how long a new principal appears by its unique id in ListGrants, as if it had been deleted.

    Reported of real KMS for about a minute, not always.
    """
