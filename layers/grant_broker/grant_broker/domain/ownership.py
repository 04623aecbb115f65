"""Whose a grant is, told by what its maker cannot choose: the issuing account, and the register of keys.

Anybody with an AWS account can name the broker's role on a key of their own, and give the grant any Name.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

from grant_broker.domain.arns import KEY, PRINCIPAL, find_account
from grant_broker.domain.keys import Key
from grant_broker.domain.listed_grant import ListedGrant, is_unique_id
from grant_broker.domain.scope import Operations

BEFORE = "it was made before the key was registered"
ALLOWED = "the operator's list allows it"


class AllowedGrant(BaseModel):
    """A grant that the operator has the broker leave alone: who may hold which operations on a key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, StringConstraints(pattern=f"^(?:{KEY.pattern})$")]
    grantee: Annotated[str, StringConstraints(pattern=f"^(?:{PRINCIPAL.pattern})$")]
    operations: Operations

    def allows(self, grant: ListedGrant) -> bool:
        """Whether it is about this key and grantee, and the grant holds no other operation."""
        named = (grant.key_arn, grant.grantee) == (self.key, self.grantee)
        return named and set(grant.operations) <= set(self.operations)


def _listed(value: object) -> object:
    # An error of JSON's own is a ValueError, which names the setting like every other fault of it.
    return json.loads(value) if isinstance(value, str) else value


AllowedGrants = Annotated[tuple[AllowedGrant, ...], BeforeValidator(_listed)]
"""As a setting: a JSON list of objects."""


@dataclass(frozen=True)
class Owner:
    """What makes a grant the broker's to judge, but for the register: its account, and `expiry`'s role."""

    home_account: str
    retiring_principal: str
    allowed: Collection[AllowedGrant] = ()

    def owns(self, grant: ListedGrant) -> bool:
        """Whether the home account issued it and `expiry` retires it; on a registered key it is the broker's.

        Once a role was deleted, KMS shows its unique id in its place. It may have been anybody's, so beside
        one the Name must be as the broker's.
        """
        if find_account(grant.issuing_account or "") != self.home_account:
            return False
        retiring = grant.retiring_principal or ""
        return retiring == self.retiring_principal or (grant.named_as_ours and is_unique_id(retiring))

    def exemption(self, grant: ListedGrant, key: Key) -> str | None:
        """Why a grant that is the broker's is reported and not judged, or None.

        KMS tells the second of a creation: what was made in the second of the registration is judged.
        """
        if grant.created_at < key.created_at.replace(microsecond=0):
            return BEFORE
        # A name of the broker's form holds an end, which is kept.
        if grant.request_id is None and any(each.allows(grant) for each in self.allowed):
            return ALLOWED
        return None
