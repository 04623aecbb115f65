"""Who calls, and whether a policy's Principal or NotPrincipal names them."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from grant_broker.policy_engine.templates import Context

_ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?", re.ASCII)
_SESSION = re.compile(r"arn:aws[a-z-]*:sts::(\d{12}):assumed-role/([^/:]+)/[^/:]+", re.ASCII)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/(?:[^:]*/)?([^/:]+)", re.ASCII)
_CALLER = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::(\d{12}):.+", re.ASCII)
_KINDS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


class Caller(NamedTuple):
    """The account, and the ARNs that name the caller: user, role, or session and its role. Root has none."""

    account: str
    arns: frozenset[str]

    @property
    def root(self) -> bool:
        """Whether this is the account's root user, who needs no identity policy."""
        return not self.arns


def caller(principal_arn: str, context: Context) -> Caller:
    """The caller behind an ARN.

    STS leaves the role's path out of a session's ARN, so the role comes from `aws:PrincipalArn`. Raises
    ValueError where that is missing or another role, and where the ARN is no IAM principal's.
    """
    match = _CALLER.fullmatch(principal_arn)
    if match is None:
        raise ValueError(f"not the ARN of an IAM principal: {principal_arn}")
    if principal_arn.endswith(":root"):
        return Caller(match[1], frozenset())
    session = _SESSION.fullmatch(principal_arn)
    if session is None:
        return Caller(match[1], frozenset({principal_arn}))
    role = str(context.get("aws:principalarn", ""))
    behind = _ROLE.fullmatch(role)
    if behind is None or behind.groups() != session.groups():
        raise ValueError(f"aws:PrincipalArn must be the role behind {principal_arn}")
    return Caller(match[1], frozenset({principal_arn, role}))


class Match(Enum):
    """How a Principal element takes a caller in."""

    NO = 0
    ACCOUNT = 1
    """Only through its account: an Allow leaves the choice to that account's IAM policies."""
    DIRECT = 2


class Principals(NamedTuple):
    """A Principal or NotPrincipal element."""

    everyone: bool
    accounts: frozenset[str]
    arns: frozenset[str]
    negated: bool

    def match(self, who: Caller, *, allow: bool) -> Match:
        """How the element takes this caller in."""
        if self.negated:
            return Match.DIRECT if self._excepts_not(who, allow=allow) else Match.NO
        if self.everyone or who.arns & self.arns:
            return Match.DIRECT
        return Match.ACCOUNT if who.account in self.accounts else Match.NO

    def _excepts_not(self, who: Caller, *, allow: bool) -> bool:
        """NotPrincipal exempts from a Deny whom it lists in every form: account, role and session.

        An Allow takes in only those of whom no form is listed. Between the two AWS promises nothing.
        """
        if self.everyone:
            return False
        if allow:
            return not (who.arns & self.arns or who.account in self.accounts)
        return not (who.arns <= self.arns and who.account in self.accounts)


def principals(element: object, *, negated: bool) -> Principals:
    """Read a Principal element. Services, federations and canonical users name no IAM caller."""
    if element == "*":
        element = {"AWS": "*"}
    if not isinstance(element, Mapping) or not element or not _KINDS.issuperset(element):
        raise ValueError(f"Principal must be * or an object of {', '.join(sorted(_KINDS))}")
    named = [name for kind, names in element.items() for name in _names(names) if kind == "AWS"]
    accounts = {match[1] for name in named if (match := _ACCOUNT.fullmatch(name))}
    return Principals("*" in named, frozenset(accounts), frozenset(named), negated)


def _names(value: object) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    names = [name for name in listed if isinstance(name, str)]
    if len(names) < len(listed):
        raise ValueError("a principal must be a string")
    return names
