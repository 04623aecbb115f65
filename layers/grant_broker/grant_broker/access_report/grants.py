"""What grants give, and what is wrong with each of them."""

import json
import re
from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Any

from grant_broker.access_report.actions import USE
from grant_broker.access_report.entries import Entry, Through
from grant_broker.domain.grant_name import parse_grant_name
from grant_broker.domain.times import from_epoch

Grant = Mapping[str, Any]
"""An entry of ListGrants."""

WITHOUT_CONSTRAINT = "grant_without_constraint"
WITH_DECRYPT = "grant_with_decrypt"
WITH_CREATE_GRANT = "grant_with_create_grant"
TO_DELETED = "grant_to_deleted_principal"
DUPLICATE = "duplicate_grant"
DETAILS = {
    WITHOUT_CONSTRAINT: "grants of cryptographic operations without an encryption context constraint",
    WITH_DECRYPT: "grants that let their grantee decrypt",
    WITH_CREATE_GRANT: "grants that let their grantee create further grants",
    TO_DELETED: "grants to a deleted principal, whom a new one of the same name does not succeed",
    DUPLICATE: "grants of what another grant gives already",
}
# Once its principal is deleted, a grant shows the unique id in the place of the ARN.
UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,124}(?::.*)?", re.ASCII)
_SERVICE = re.compile(r"(?:[a-z0-9-]+\.)+amazonaws\.com(?:\.cn)?", re.ASCII)
# Roles and sessions that only AWS's services use: service-linked roles, and EC2's own for volumes.
_SERVICE_PRINCIPAL = re.compile(
    r"arn:aws[a-z-]*:(?:iam::\d{12}:role/aws-service-role/(?P<linked>[a-z0-9.-]+)/.+"
    r"|sts::\d{12}:assumed-role/aws:(?P<infrastructure>[a-z0-9-]+)/.+)",
    re.ASCII,
)


def entry_of(grant: Grant, retiring_principal: str | None) -> Entry:
    """The access that one grant gives.

    It is the broker's where Name and retiring principal are its own; without a retiring principal given,
    where the Name is.
    """
    operations = tuple(f"kms:{name}" for name in grant.get("Operations", ()))
    request_id, until = _request(grant, retiring_principal)
    through = Through(
        "grant", grant_id=str(grant.get("GrantId", "")), request_id=request_id,
        issued_by=grant.get("IssuingAccount"), service=_service(grant),
    )  # fmt: skip
    principal = str(grant.get("GranteePrincipal") or grant.get("GranteeServicePrincipal") or "")
    constraint = grant.get("Constraints") or None
    return Entry(principal, operations, through, constraint, until, _codes(principal, operations, constraint))


def likeness(grant: Grant) -> Hashable:
    """What two grants share if the second gives nothing that the first does not."""
    constraint = json.dumps(grant.get("Constraints") or {}, sort_keys=True)
    grantee = grant.get("GranteePrincipal") or grant.get("GranteeServicePrincipal")
    return grantee, tuple(sorted(grant.get("Operations", ()))), constraint


def _request(grant: Grant, retiring_principal: str | None) -> tuple[str | None, datetime | None]:
    named = parse_grant_name(grant.get("Name") or "")
    if named is None or retiring_principal not in {None, grant.get("RetiringPrincipal")}:
        return None, None
    return named[0], from_epoch(named[1])


def _service(grant: Grant) -> str | None:
    """The AWS service that made the grant for a resource of its own, or None."""
    for name in ("GranteeServicePrincipal", "GranteePrincipal", "IssuingAccount"):
        principal = str(grant.get(name) or "")
        if _SERVICE.fullmatch(principal):
            return principal
        if match := _SERVICE_PRINCIPAL.fullmatch(principal):
            return match["linked"] or match["infrastructure"]
    return None


def _codes(
    principal: str, operations: tuple[str, ...], constraint: Mapping[str, Any] | None
) -> tuple[str, ...]:
    found = {
        WITHOUT_CONSTRAINT: not constraint and any(name in USE for name in operations),
        WITH_DECRYPT: "kms:Decrypt" in operations,
        WITH_CREATE_GRANT: "kms:CreateGrant" in operations,
        TO_DELETED: UNIQUE_ID.fullmatch(principal) is not None,
    }
    return tuple(code for code, holds in found.items() if holds)
