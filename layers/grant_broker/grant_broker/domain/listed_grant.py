"""A KMS grant as ListGrants and ListRetirableGrants show it: the one form that all the rules read."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

from pydantic import ValidationError

from grant_broker.domain.arns import SERVICE_PRINCIPAL, find_account
from grant_broker.domain.grant_name import NAME_PREFIX, parse_grant_name
from grant_broker.domain.scope import ContextMatch, Scope
from grant_broker.domain.times import from_epoch
from grant_broker.domain.trail import Json

PROPAGATION = timedelta(minutes=5)
"""KMS may show an ended grant, and not yet show a new one, for about this long: that is no drift."""
_SERVICE = re.compile(r"(?:[a-z0-9-]+\.)+amazonaws\.com(?:\.cn)?", re.ASCII)
_UNIQUE_ID = re.compile(r"A(?:ROA|IDA)[A-Z0-9]+", re.ASCII)
_MATCHES = {"EncryptionContextEquals": ContextMatch.EQUALS, "EncryptionContextSubset": ContextMatch.SUBSET}


def is_unique_id(principal: str) -> bool:
    """Whether KMS shows a role or a user by its id: it was deleted, or is too young to be known by ARN."""
    return _UNIQUE_ID.fullmatch(principal) is not None


# The same few principals hold a key's many grants.
@lru_cache(maxsize=4096)
def _service_of(principal: str) -> str | None:
    if _SERVICE.fullmatch(principal):
        return principal
    match = SERVICE_PRINCIPAL.fullmatch(principal)
    return match["linked"] or match["infrastructure"] if match else None


@dataclass(frozen=True)
class ListedGrant:
    """What KMS says of a grant; only `created_at` and `issuing_account` could not be chosen by its maker.

    `grantee` is the ARN of the grantee principal, the unique id of one that was deleted (AROA…), or the name
    of an AWS service; `retiring_principal` is an ARN or such an id.
    """

    grant_id: str
    key_arn: str
    name: str
    grantee: str
    retiring_principal: str | None
    operations: tuple[str, ...]
    constraints: Mapping[str, Any]
    created_at: datetime
    issuing_account: str | None = None

    @property
    def account(self) -> str | None:
        """The grantee principal's account, None where it no longer exists or is a service."""
        return find_account(self.grantee)

    @property
    def service(self) -> str | None:
        """The AWS service that made the grant for a resource of its own, or None."""
        return _service_of(self.grantee) or _service_of(self.issuing_account or "")

    @cached_property
    def scope(self) -> Scope | None:
        """What the grant allows, None where the broker issues none such."""
        if len(self.constraints) != 1:
            return None
        [(kind, context)] = self.constraints.items()
        try:
            return Scope(operations=self.operations, encryption_context=context, context_match=_MATCHES[kind])
        except (KeyError, ValidationError):
            return None

    @property
    def request_id(self) -> str | None:
        """The request in its name, None where the name is malformed."""
        parsed = parse_grant_name(self.name)
        return parsed[0] if parsed else None

    @property
    def expiry(self) -> datetime | None:
        """The expiry in its name, None where the name is malformed."""
        parsed = parse_grant_name(self.name)
        return from_epoch(parsed[1]) if parsed else None

    @property
    def named_as_ours(self) -> bool:
        """Whether its Name begins as the broker's do, which anybody may choose."""
        return self.name.startswith(NAME_PREFIX)

    @property
    def derived_id(self) -> str:
        """The id of the record by which it ends when its name leads to no record of its own."""
        return hashlib.sha256(self.grant_id.encode()).hexdigest()[:32]

    def end(self, longest: int) -> datetime:
        """When it must end: its name's expiry, but no later than creation plus `longest` seconds."""
        limit = self.created_at + timedelta(seconds=longest)
        return min(limit, self.expiry) if self.expiry else limit

    @property
    def detail(self) -> Json:
        """The grant as an event's detail names it."""
        return {
            "grant_id": self.grant_id,
            "key": self.key_arn,
            "grantee": self.grantee,
            "name": self.name,
            "operations": list(self.operations),
            "constraints": dict(self.constraints),
            "issuing_account": self.issuing_account,
        }
