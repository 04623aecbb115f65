"""Who calls the API: the identity that API Gateway verified, and what it may do. No header is believed."""

from collections.abc import Collection, Mapping
from typing import Any

from grant_broker.domain.arns import IAM_USER, account_of, find_session_name
from grant_broker.domain.errors import NotPermitted
from grant_broker.domain.people import Caller

# The console's "Test" button sends identities that nobody signed for.
_CONSOLE_TEST = "test-invoke-stage"


def caller_of(event: Mapping[str, Any]) -> Caller:
    """The verified identity (`requestContext.identity`); NotPermitted without one."""
    context = event["requestContext"]
    identity = context.get("identity") or {}
    arn, account, caller = (identity.get(name) or "" for name in ("userArn", "accountId", "caller"))
    session = find_session_name(arn)
    if context.get("stage") == _CONSOLE_TEST or not (session or IAM_USER.fullmatch(arn)):
        raise NotPermitted("call as an IAM role or user, with a signed request")
    if not account or not caller or account_of(arn) != account:
        raise NotPermitted("the caller's identity is not complete")
    return Caller(
        arn=arn,
        account=account,
        unique_id=caller.partition(":")[0],
        session=session,
    )


def ensure_third_party(caller: Caller, accounts: Collection[str]) -> None:
    """NotPermitted unless the caller is of one of these accounts: the trusted ones and the home account."""
    if caller.account not in accounts:
        raise NotPermitted("your account is not trusted here")


def is_approver(caller: Caller, *, home_account: str, role_ids: Collection[str]) -> bool:
    """Return whether the caller is of the home account and has an approver role.

    The role is told by its unique id: its name could be anybody's, its path is lost in STS ARNs.
    """
    return caller.account == home_account and caller.unique_id in role_ids


def ensure_approver(caller: Caller, *, home_account: str, role_ids: Collection[str]) -> None:
    """NotPermitted unless the caller is of the home account and has an approver role."""
    if not is_approver(caller, home_account=home_account, role_ids=role_ids):
        raise NotPermitted("this needs an approver role of the home account")
