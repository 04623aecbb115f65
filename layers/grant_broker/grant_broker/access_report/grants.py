"""What each grant gives, and what is wrong with it."""

import json
import re
from collections.abc import Hashable, Mapping
from typing import Any

from grant_broker.access_report.actions import USE
from grant_broker.access_report.entries import AccessEntry, Through
from grant_broker.domain.arns import find_account, root_arn
from grant_broker.domain.listed_grant import ListedGrant

_USE = frozenset(USE)
_SORTED = json.JSONEncoder(sort_keys=True)

WITH_CREATE_GRANT = "grant_with_create_grant"
WITHOUT_CONSTRAINT = "grant_without_constraint"
WITH_DECRYPT = "grant_with_decrypt"
TO_DELETED = "grant_to_deleted_principal"
DUPLICATE = "duplicate_grant"
DETAILS = {
    WITH_CREATE_GRANT: "grants that let their grantee create further grants",
    WITHOUT_CONSTRAINT: "grants of cryptographic operations without an encryption context constraint",
    WITH_DECRYPT: "grants that let their grantee decrypt",
    TO_DELETED: "grants to a deleted principal, whom a new one of the same name does not succeed",
    DUPLICATE: "grants of what another grant gives already",
}
"""What is wrong with the grants of each code, the worst first."""
# Once its principal is deleted, a grant shows its unique id instead of the ARN.
UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,124}(?::.*)?", re.ASCII)


def entry_of(grant: ListedGrant, retiring_principal: str | None) -> AccessEntry:
    """The access that one grant gives.

    It is the broker's where Name and retiring principal are its own (without a retiring principal given,
    the Name), and the account of that principal issued it: anybody who may grant on the key can choose the
    other two.
    """
    operations = tuple(f"kms:{name}" for name in grant.operations)
    ours = _is_brokers(grant, retiring_principal)
    through = Through(
        kind="grant",
        grant_id=grant.grant_id,
        request_id=grant.request_id if ours else None,
        issued_by=grant.issuing_account,
        service=grant.service,
    )
    constraint = dict(grant.constraints) or None
    codes = _codes(grant.grantee, operations, constraint)
    return AccessEntry(grant.grantee, operations, through, constraint, grant.expiry if ours else None, codes)


def likeness(grant: ListedGrant) -> Hashable:
    """What two grants share if the second gives nothing that the first does not."""
    return grant.grantee, tuple(sorted(grant.operations)), _SORTED.encode(grant.constraints)


def _is_brokers(grant: ListedGrant, retiring_principal: str | None) -> bool:
    retiring = grant.retiring_principal or ""
    # KMS shows the id of a deleted role, which has no account.
    account = find_account(retiring)
    issued_at_home = account is not None and grant.issuing_account == root_arn(account)
    return issued_at_home and retiring_principal in {None, retiring}


def _codes(
    principal: str, operations: tuple[str, ...], constraint: Mapping[str, Any] | None
) -> tuple[str, ...]:
    found = {
        WITH_CREATE_GRANT: "kms:CreateGrant" in operations,
        # Whether KMS takes a constraint without pairs as one is contested: it is told as none.
        WITHOUT_CONSTRAINT: not any((constraint or {}).values()) and not _USE.isdisjoint(operations),
        WITH_DECRYPT: "kms:Decrypt" in operations,
        TO_DELETED: UNIQUE_ID.fullmatch(principal) is not None,
    }
    return tuple(code for code, holds in found.items() if holds)
