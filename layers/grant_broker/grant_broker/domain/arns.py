"""ARNs of keys and of IAM's principals: their forms, their parts, and how they are put together.

The broker serves the partition `aws` and no other: KMS grants do not reach from one partition into another.
Patterns are written so that ECMA 262 reads them too, for the OpenAPI document.
"""

import re

PARTITION = "aws"
_FIELDS = 6
_ANY = re.compile(r"arn:(?P<partition>aws[a-z-]{0,20}):.+", re.ASCII)
ACCOUNT = re.compile(r"[0-9]{12}")
_ACCOUNT, _NAME = ACCOUNT.pattern, r"[a-zA-Z0-9_+=,.@-]{1,64}"
# Of a grantee's path KMS takes fewer characters than IAM (CreateGrant, GranteePrincipal).
_PATH = r"(?:[a-zA-Z0-9_+=,.@-]+/)*"
_REGION = re.compile("[a-z0-9-]{1,32}")
KEY_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
KEY = re.compile(rf"arn:aws:kms:[a-z0-9-]{{1,32}}:{_ACCOUNT}:key/{KEY_ID.pattern}")
ROLE = re.compile(rf"arn:aws:iam::{_ACCOUNT}:role/{_PATH}{_NAME}")
USER = re.compile(rf"arn:aws:iam::{_ACCOUNT}:user/{_PATH}{_NAME}")
SESSION = re.compile(rf"arn:aws:sts::{_ACCOUNT}:assumed-role/{_NAME}/[a-zA-Z0-9_+=,.@-]{{2,64}}")
GRANTEE = re.compile("|".join(f"(?:{each.pattern})" for each in (ROLE, USER, SESSION)))
"""One role, user or session: no account, no service, no wildcard."""
PRINCIPAL = re.compile(
    rf"arn:aws:(?:iam|sts)::{_ACCOUNT}:(?:role|user|assumed-role)/[a-zA-Z0-9_+=,.@/-]{{1,512}}"
)
"""What may be a grantee or a caller: looser than either, for searches."""
IAM_USER = re.compile(rf"arn:aws:iam::{_ACCOUNT}:user/.+")
"""A user with any path that IAM takes."""
OF_ACCOUNT = re.compile(rf"arn:aws:(?:iam|sts)::(?P<account>{_ACCOUNT}):.+")
"""Whatever IAM or STS calls so in an account, patterns of several principals included."""
WHOLE_ACCOUNT = re.compile(rf"(?:arn:aws:iam::)?(?P<account>{_ACCOUNT})(?::root)?")
"""An account as the principal of a policy: by its id, or by its root user."""
SERVICE_PRINCIPAL = re.compile(
    rf"arn:aws:(?:iam::{_ACCOUNT}:role/aws-service-role/(?P<linked>[a-z0-9.-]+)/.+"
    rf"|sts::{_ACCOUNT}:assumed-role/aws:(?P<infrastructure>[a-z0-9-]+)/.+)"
)
"""Roles and sessions that AWS's services alone use: service-linked roles, and EC2's own for volumes."""
LONGEST_PRINCIPAL = 256
"""Characters of a grantee principal (CreateGrant)."""


def refuse_other_partition(text: str) -> str:
    """Return the text; ValueError where it is an ARN of another partition than `aws`."""
    match = _ANY.fullmatch(text)
    if match and match["partition"] != PARTITION:
        raise ValueError(f"the broker serves the partition {PARTITION} only: give an ARN of it")
    return text


def find_account(principal: str) -> str | None:
    """Find the account in an ARN, None in what is none: an AWS service, or the id of a deleted principal."""
    fields = principal.split(":")
    return fields[4] or None if len(fields) >= _FIELDS and fields[0] == "arn" else None


def account_of(arn: str) -> str:
    """Tell the account in an ARN; ValueError where it has none."""
    account = find_account(arn)
    if account is None:
        raise ValueError(f"no ARN with an account: {arn!a}")
    return account


def region_of(key_arn: str) -> str:
    """Tell the Region in a key's ARN."""
    return key_arn.split(":")[3]


def find_region(key_arn: str) -> str | None:
    """Find the Region in what may be a key's ARN; None where it is none."""
    parts = key_arn.split(":")
    return parts[3] if len(parts) == _FIELDS and _REGION.fullmatch(parts[3]) else None


def key_id_of(key_arn: str) -> str:
    """Tell the key id in a key's ARN, which replicas in other Regions share."""
    return key_arn.rpartition("/")[2]


def role_of(arn: str) -> tuple[str, str] | None:
    """Tell account and name of a role, or of a session's role; None for a user. They identify the role.

    STS leaves the path out, and two roles of an account cannot differ by their paths alone.
    """
    if ROLE.fullmatch(arn):
        return account_of(arn), arn.rpartition("/")[2]
    return (account_of(arn), arn.split("/")[1]) if SESSION.fullmatch(arn) else None


def name_of_principal(arn: str) -> str:
    """Tell a role or a user by account and name, a session by its role; anything else is its own name.

    No path: an account has no two roles, nor two users, of one name. Nor is IAM particular about case.
    """
    if role := role_of(arn):
        return f"{role[0]}:role/{role[1]}".casefold()
    return (f"{account_of(arn)}:user/{arn.rpartition('/')[2]}" if IAM_USER.fullmatch(arn) else arn).casefold()


def find_session_name(arn: str) -> str | None:
    """Find the session's name in the ARN of an assumed role's session, None in another's."""
    return arn.rpartition("/")[2] if SESSION.fullmatch(arn) else None


def role_behind(arn: str) -> str:
    """Give a session's role, without the path that STS leaves out; anything else as it is."""
    role = role_of(arn) if SESSION.fullmatch(arn) else None
    return role_arn(*role) if role else arn


def key_arn(region: str, account: str, key_id: str) -> str:
    """Make a key's ARN."""
    return f"arn:{PARTITION}:kms:{region}:{account}:key/{key_id}"


def role_arn(account: str, name: str) -> str:
    """Make the ARN of a role without a path."""
    return f"arn:{PARTITION}:iam::{account}:role/{name}"


def root_arn(account: str) -> str:
    """Make the ARN of an account's root user, which in a policy stands for the account."""
    return f"arn:{PARTITION}:iam::{account}:root"
