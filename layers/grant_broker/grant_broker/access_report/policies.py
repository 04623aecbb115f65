"""What a key policy gives, statement by statement and principal by principal."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grant_broker.access_report.actions import POLICY_ACTIONS
from grant_broker.access_report.entries import Entry, Kind, Through
from grant_broker.policy_engine.conditions import understood
from grant_broker.policy_engine.policies import parse_policy
from grant_broker.policy_engine.principals import Caller, Match, caller
from grant_broker.policy_engine.statements import Statement
from grant_broker.policy_engine.values import date

EVERYONE = "*"
_ACCOUNT = re.compile(r"(?:arn:(?P<partition>aws[a-z-]*):iam::)?(?P<account>\d{12})(?::root)?", re.ASCII)
_SESSION = re.compile(r"(arn:aws[a-z-]*):sts::(\d{12}):assumed-role/([^/]+)/.+", re.ASCII)
_NARROWING = frozenset({"stringequals", "arnequals", "arnlike", "stringlike"})
_ENDING = frozenset({"datelessthan", "datelessthanequals"})


@dataclass(frozen=True)
class _Named:
    """A statement as it was read, and as the engine reads it."""

    raw: Mapping[str, Any]
    read: Statement

    @property
    def conditions(self) -> list[tuple[str, str, list[str]]]:
        block: Mapping[str, Mapping[str, Any]] = self.raw.get("Condition", {})
        return [
            (operator, key, [str(value) for value in _listed(values)])
            for operator, keys in block.items()
            for key, values in keys.items()
        ]

    @property
    def name(self) -> str:
        return self.read.sid or f"statement {self.read.position}"


def entries_of(document: str | Mapping[str, Any], key_arn: str) -> Iterator[Entry]:
    """Every principal that the policy lets in, in the policy's order.

    Conditions are shown, not judged: only the call itself says whether they hold. What an unconditional
    Deny takes away is left out; conditional Denies stand in `constraint`. Raises ValueError for a policy
    that AWS would not have stored.
    """
    named = _named(document)
    denying = [each for each in named if not each.read.allow and _on(each, key_arn)]
    for statement in named:
        if statement.read.allow and _on(statement, key_arn):
            yield from _entries(statement, denying)


def not_understood(document: str | Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each statement's name with a condition that no rule here can judge: an operator or a key."""
    for statement in _named(document):
        for operator, key, _ in statement.conditions:
            if not understood(operator, key):
                yield statement.name, f"{operator} {key}"


def _named(document: str | Mapping[str, Any]) -> list[_Named]:
    policy = parse_policy(document)
    raw = json.loads(document) if isinstance(document, str) else document
    return [
        _Named(each, read) for each, read in zip(_listed(raw["Statement"]), policy.statements, strict=True)
    ]


def _on(statement: _Named, key_arn: str) -> bool:
    resources = statement.read.resources
    # What a variable would name is not known here: an access too many is shown rather than one too few.
    return resources is None or resources.match(key_arn, {}) is not False


def _entries(statement: _Named, denying: list[_Named]) -> Iterator[Entry]:
    asked = tuple(name for name in POLICY_ACTIONS if statement.read.concerns(name.lower()))
    for principal, kind in _principals(statement):
        whole_account = kind == "iam" and principal.endswith(":root")
        taken, unless = _denied(principal, asked, denying, whole_account=whole_account)
        if actions := tuple(name for name in asked if name not in taken):
            through = Through(kind, sid=statement.name)
            yield Entry(principal, actions, through, _constraint(statement, unless), _until(statement))


def _principals(statement: _Named) -> Iterator[tuple[str, Kind]]:
    element = statement.raw.get("Principal", EVERYONE)
    kinds = {"AWS": EVERYONE} if element == EVERYONE else element
    for name in (name for names in kinds.values() for name in _listed(names)):
        account = _ACCOUNT.fullmatch(name)
        if account is None:
            yield name, "key_policy"
            continue
        root = f"arn:{account['partition'] or 'aws'}:iam::{account['account']}:root"
        for only in _only(statement):
            # The root user needs no IAM policy; everybody else of the account does.
            yield only, "key_policy" if only == root else "iam"
        if not _only(statement):
            yield root, "iam"


def _only(statement: _Named) -> list[str]:
    """The principals to whom a condition on aws:PrincipalArn narrows the statement, named exactly."""
    for operator, key, values in statement.conditions:
        exact = not any(character in value for value in values for character in "*?$")
        if operator.lower() in _NARROWING and key.lower() == "aws:principalarn" and exact:
            return values
    return []


def _denied(
    principal: str, asked: tuple[str, ...], denying: list[_Named], *, whole_account: bool
) -> tuple[set[str], list[dict[str, Any]]]:
    """The actions that unconditional Denies take away, and the Denies that hold under conditions."""
    taken: set[str] = set()
    unless = []
    for deny in denying:
        hit = {name for name in asked if deny.read.concerns(name.lower())}
        # From a whole account NotPrincipal takes only those whom it does not list.
        part = whole_account and deny.read.principals is not None and deny.read.principals.negated
        if not hit or not (part or _takes_in(deny.read, principal)):
            continue
        if part or deny.read.conditions:
            unless.append({"Sid": deny.name, "Condition": deny.raw.get("Condition", {})})
        else:
            taken |= hit
    return taken, unless


def _takes_in(deny: Statement, principal: str) -> bool:
    if deny.principals is None:
        return False
    if deny.principals.everyone:
        return not deny.principals.negated
    who = _caller(principal)
    return who is not None and deny.principals.match(who, allow=False) is not Match.NO


def _caller(principal: str) -> Caller | None:
    """The caller behind a principal's name; None for `*`, a service, or the id of a deleted principal."""
    session = _SESSION.fullmatch(principal)
    behind = f"{session[1]}:iam::{session[2]}:role/{session[3]}" if session else principal
    try:
        return caller(principal, {"aws:principalarn": behind})
    except ValueError:
        return None


def _constraint(statement: _Named, unless: list[dict[str, Any]]) -> dict[str, Any] | None:
    shown = {name: statement.raw[name] for name in ("NotPrincipal", "Condition") if statement.raw.get(name)}
    return {**shown, **({"Unless": unless} if unless else {})} or None


def _until(statement: _Named) -> datetime | None:
    """When a condition on aws:CurrentTime ends the access, or None."""
    ends = [
        value
        for operator, key, values in statement.conditions
        if operator.lower() in _ENDING and key.lower() == "aws:currenttime"
        for value in values
    ]
    try:
        return max((datetime.fromtimestamp(int(date(end)), UTC) for end in ends), default=None)
    except (ValueError, OverflowError):
        return None


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value]
