"""A grant as KMS lists it, and as the rules see it."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from grant_broker.aws.kms import Grant
from grant_broker.domain.arns import find_account
from grant_broker.domain.live_grants import LiveGrant
from grant_broker.domain.scope import Scope
from grant_broker.domain.trail import Json

_MATCHES = {"EncryptionContextEquals": "equals", "EncryptionContextSubset": "subset"}


@dataclass(frozen=True)
class Listed:
    """A live grant, and what an event's detail tells of it."""

    grant: LiveGrant
    shown: Json


def listed(grant: Grant, now: datetime) -> Listed:
    """Read a listed grant; without a creation date it counts as made now."""
    live = LiveGrant(
        grant_id=grant.grant_id,
        key_arn=grant.key_arn,
        name=grant.name,
        grantee=grant.grantee,
        account=find_account(grant.grantee),
        scope=_scope(grant),
        created_at=grant.created_at or now,
    )
    shown: Json = {
        "grant_id": grant.grant_id,
        "key": grant.key_arn,
        "grantee": grant.grantee,
        "name": grant.name,
        "operations": list(grant.operations),
        "constraints": grant.constraints,
        "issuing_account": grant.issuing_account,
    }
    return Listed(live, shown)


def _scope(grant: Grant) -> Scope | None:
    if len(grant.constraints) != 1:
        return None
    [(kind, context)] = grant.constraints.items()
    match = _MATCHES.get(kind)
    try:
        return Scope.model_validate(
            {"operations": grant.operations, "encryption_context": context, "context_match": match}
        )
    except ValidationError:
        return None
