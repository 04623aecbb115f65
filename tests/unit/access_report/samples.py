"""Key policies and grants that the tests of the access report share."""

from typing import Any

from grant_broker.access_report import AccessReport, AccessTally, KeyPolicies
from grant_broker.aws.kms import listed_grant
from grant_broker.domain.listed_grant import ListedGrant

HOME, PARTNER = "111122223333", "444455556666"
KEY = f"arn:aws:kms:eu-central-1:{HOME}:key/0d0e"
ROOT = f"arn:aws:iam::{HOME}:root"
READER = f"arn:aws:iam::{HOME}:role/app/reader"
ADMIN = f"arn:aws:iam::{HOME}:role/key-admin"
APPLICATION = f"arn:aws:iam::{PARTNER}:role/application"
EXPIRY = f"arn:aws:iam::{HOME}:role/broker-expiry"
ISSUED_BY = f"arn:aws:iam::{HOME}:root"
REQUEST = "0123456789abcdef" * 2


def statement(principal: Any, *actions: str, **others: Any) -> dict[str, Any]:
    """A statement; `Allow` unless it says otherwise."""
    named = principal if isinstance(principal, dict) or principal == "*" else {"AWS": principal}
    base = {"Sid": "Use", "Effect": "Allow", "Principal": named, "Action": list(actions), "Resource": "*"}
    merged = {**base, **others}
    return {name: value for name, value in merged.items() if value is not None}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """A key policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def grant(number: int = 1, **changes: Any) -> ListedGrant:
    """A grant of the broker, with changes by the names of ListGrants; None leaves one out."""
    base = {
        "GrantId": f"{number:064x}",
        "KeyId": KEY,
        "Name": f"grant-broker/{number:032x}/1900000000",
        "GranteePrincipal": APPLICATION,
        "RetiringPrincipal": EXPIRY,
        "IssuingAccount": ISSUED_BY,
        "Operations": ["Encrypt"],
        "Constraints": {"EncryptionContextEquals": {"number": str(number)}},
    }
    entry: Any = {name: value for name, value in {**base, **changes}.items() if value is not None}
    return listed_grant(entry)


def report(document: dict[str, Any] | str | None, *grants: ListedGrant) -> AccessReport:
    """The report of a policy and grants."""
    tally = AccessTally(KEY, retiring_principal=EXPIRY)
    for each in grants:
        tally.add(each)
    return tally.report(KeyPolicies(document))


def codes(found: AccessReport) -> list[tuple[str, str | None]]:
    """Code and principal of every finding."""
    return [(finding.code, finding.principal) for finding in found.findings]
