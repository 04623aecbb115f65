"""Beyond the broker: what a key's administrator can do at once, whatever the rate at which grants are ended.

A key policy's Deny comes before every grant. Whoever holds one is told apart by what KMS knows of the caller:
`aws:PrincipalAccount` and `aws:PrincipalArn`, which also hold where a service calls in the caller's name.
`kms:GranteePrincipal` is whom a grant is to be made for: it stops new grants, and no use of those there are.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from grant_broker.domain.arns import account_of, region_of, role_of

_SIDS = ("GrantBrokerPanicNoUse", "GrantBrokerPanicNoNewGrants")


@dataclass(frozen=True)
class Panic:
    """Who is to have nothing of a key any more: whole accounts, or single roles and users."""

    key_arn: str
    accounts: Collection[str] = ()
    grantees: Collection[str] = ()

    @property
    def statements(self) -> list[dict[str, Any]]:
        """The Denies for the key's policy."""
        used, new = _SIDS
        found = []
        if self.accounts:
            accounts = {"StringEquals": {"aws:PrincipalAccount": sorted(self.accounts)}}
            found.append(_deny(f"{used}ByAccounts", "kms:*", accounts))
        holders = [arn for each in sorted(self.grantees) for arn in _arns(each)]
        if holders:
            found.append(_deny(f"{used}ByPrincipals", "kms:*", {"ArnLike": {"aws:PrincipalArn": holders}}))
        named = [f"arn:aws:{part}::{each}:*" for each in sorted(self.accounts) for part in ("iam", "sts")]
        named += [*holders, *(arn for each in sorted(self.grantees) for arn in _sessions(each))]
        found.append(_deny(new, "kms:CreateGrant", {"ArnLike": {"kms:GranteePrincipal": named}}))
        return found

    def merged(self, policy: str) -> str:
        """The present policy, JSON, with the Denies in it; ValueError where it is none."""
        document = json.loads(policy)
        found = document.get("Statement") if isinstance(document, dict) else None
        present = [found] if isinstance(found, dict) else found
        if not isinstance(present, list):
            raise ValueError("this is no key policy")  # noqa: TRY004 - a text of the wrong form
        kept = [each for each in present if not str(each.get("Sid", "")).startswith(_SIDS)]
        return json.dumps({**document, "Statement": [*kept, *self.statements]}, indent=2)

    @property
    def commands(self) -> Iterator[str]:
        """What the key's administrator runs, line by line; the lines that begin with # explain."""
        key = f"--region {region_of(self.key_arn)} --key-id {self.key_arn}"
        who = [f"--account {each}" for each in sorted(self.accounts)]
        who += [f"--grantee {each}" for each in sorted(self.grantees)]
        put = f"aws kms put-key-policy {key} --policy-name default --policy"
        yield "# 1. Deny. Their grants are of no use any more; everybody else, and the broker, goes on."
        yield f"aws kms get-key-policy {key} --policy-name default --query Policy --output text > before.json"
        ours = f"grant-broker revocations panic {self.key_arn} {' '.join(who)}"
        yield f"{ours} --merge before.json > deny.json"
        yield f"{put} file://deny.json"
        yield "#    Back, once no grant of theirs is left:"
        yield f"{put} file://before.json"
        yield "# 2. Last: disable the key. Nobody can use it, your own readers neither."
        yield f"aws kms disable-key {key}"
        yield "#    Back:"
        yield f"aws kms enable-key {key}"


def _arns(principal: str) -> list[str]:
    """What `aws:PrincipalArn` may be for a role, a session of it, or a user, whatever the path."""
    kind = "user" if ":user/" in principal else "role"
    name = (role_of(principal) or ("", principal.rpartition("/")[2]))[1]
    begin = f"arn:aws:iam::{account_of(principal)}:{kind}/"
    return [f"{begin}{name}", f"{begin}*/{name}"]


def _sessions(principal: str) -> list[str]:
    """What else a grant may name for a role: a session."""
    role = role_of(principal)
    return [f"arn:aws:sts::{role[0]}:assumed-role/{role[1]}/*"] if role else []


def _deny(sid: str, action: str, condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": action,
        "Resource": "*",
        "Condition": condition,
    }
