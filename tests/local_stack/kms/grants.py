"""The grants of all keys, indexed so that a call costs the same with one grant and with 50,000."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.local_stack.answers import AwsError

LIMIT = 50_000


@dataclass
class Grant:
    """One grant, as ListGrants shows it, with its principals' unique ids."""

    shown: dict[str, Any]
    grantee_id: str
    retiring_id: str | None
    token: str


@dataclass
class KeyGrants:
    """The grants of one key."""

    by_id: dict[str, Grant] = field(default_factory=dict)
    by_name: dict[str, list[Grant]] = field(default_factory=dict)
    by_grantee: dict[str, dict[str, Grant]] = field(default_factory=dict)

    def add(
        self, parameters: dict[str, Any], ids: tuple[str, str | None], issuer: str, at: datetime
    ) -> Grant:
        """The grant with these parameters and Name, or a new one. Raises LimitExceededException."""
        kept = {k: v for k, v in parameters.items() if k not in ("DryRun", "GrantTokens")}
        for grant in self.by_name.get(kept.get("Name", ""), []):
            if (grant.grantee_id, grant.retiring_id) == ids and all(
                grant.shown.get(k) == v for k, v in kept.items()
            ):
                return grant
        if len(self.by_id) >= LIMIT:
            raise AwsError("LimitExceededException", "The key has reached its grants limit")
        shown = kept | {
            "GrantId": secrets.token_hex(32),
            "CreationDate": at.timestamp(),
            "IssuingAccount": f"arn:aws:iam::{issuer}:root",
        }
        grant = Grant(shown, *ids, token=secrets.token_urlsafe(96))
        self.by_id[shown["GrantId"]] = grant
        if "Name" in kept:
            self.by_name.setdefault(kept["Name"], []).append(grant)
        self.by_grantee.setdefault(ids[0], {})[shown["GrantId"]] = grant
        return grant

    def remove(self, grant_id: str) -> None:
        """End a grant. Raises NotFoundException."""
        grant = self.by_id.pop(grant_id, None)
        if grant is None:
            raise AwsError("NotFoundException", f"Grant ID {grant_id} not found")
        del self.by_grantee[grant.grantee_id][grant_id]
        if "Name" in grant.shown:
            self.by_name[grant.shown["Name"]].remove(grant)
