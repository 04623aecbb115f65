"""What a key policy gives, statement by statement and principal by principal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grant_broker.access_report.actions import POLICY_ACTIONS
from grant_broker.access_report.conditions import conditions_in, end_of, principals_in
from grant_broker.access_report.entries import AccessEntry, Through
from grant_broker.access_report.statements import Document, NamedStatement, statements_of
from grant_broker.domain.arns import WHOLE_ACCOUNT, find_account, role_behind, root_arn
from grant_broker.domain.key_policy import listed
from grant_broker.policy_engine.conditions import understood
from grant_broker.policy_engine.principals import Caller, Match, caller
from grant_broker.policy_engine.statements import Statement

EVERYONE = "*"
_WHOLE_ACCOUNT = "the IAM policies of account {account} say who has it; `grant-broker access` lists them"
_ONE_PRINCIPAL = "the IAM policies of this principal must allow it too"


@dataclass(frozen=True)
class KeyPolicies:
    """The policies of a key as far as KMS shows them.

    `default` is None where KMS does not show it, `names` where it does not list them. Resource Access
    Manager alone can put a second one; how KMS evaluates the two together is not documented.
    """

    default: Document | None
    names: tuple[str, ...] | None = ("default",)

    @property
    def others(self) -> list[str]:
        """The names of policies that nothing here judges."""
        return [name for name in self.names or () if name != "default"]


def entries_of(document: Document, key_arn: str) -> Iterator[AccessEntry]:
    """Every principal that the policy lets in, in the policy's order.

    Conditions are shown, not judged: only the call itself says whether they hold. What an unconditional
    Deny takes away is left out; conditional Denies stand in `constraint`. Raises ValueError for a policy
    that AWS would not have stored.
    """
    denying = denying_in(document, key_arn)
    for statement in statements_of(document):
        if statement.read.allow and statement.on(key_arn):
            yield from _entries(statement, denying)


def denying_in(document: Document, key_arn: str) -> list[NamedStatement]:
    """The policy's Denies that speak of the key whatever the call."""
    return [each for each in statements_of(document) if not each.read.allow and each.certainly_on(key_arn)]


def not_understood(document: Document) -> Iterator[tuple[str, str]]:
    """Each statement's name with a condition that no rule here can judge: an operator or a key."""
    for statement in statements_of(document):
        for operator, key, _ in conditions_in(statement.conditions):
            if not understood(operator, key):
                yield statement.name, f"{operator} {key}"


def denied_to(
    principal: str, asked: tuple[str, ...], denying: list[NamedStatement], *, whole_account: bool = False
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
            unless.append({"Sid": deny.name, "Condition": deny.conditions})
        else:
            taken |= hit
    return taken, unless


def _entries(statement: NamedStatement, denying: list[NamedStatement]) -> Iterator[AccessEntry]:
    asked = tuple(name for name in POLICY_ACTIONS if statement.read.concerns(name.lower()))
    until = end_of(statement.conditions)
    for principal, through in _principals(statement):
        whole_account = through.kind == "iam" and principal.endswith(":root")
        taken, unless = denied_to(principal, asked, denying, whole_account=whole_account)
        if actions := tuple(name for name in asked if name not in taken):
            yield AccessEntry(principal, actions, through, _constraint(statement, unless), until)


def _principals(statement: NamedStatement) -> Iterator[tuple[str, Through]]:
    """Whom the statement lets in: those that it names, as far as a condition does not narrow them."""
    element = statement.raw.get("Principal", EVERYONE)
    kinds = {"AWS": EVERYONE} if element == EVERYONE else element
    narrowed = principals_in(statement.conditions)
    direct = Through("key_policy", sid=statement.name)
    for name in (name for names in kinds.values() for name in listed(names)):
        if match := WHOLE_ACCOUNT.fullmatch(name):
            yield from _of_account(statement, match["account"], narrowed)
        elif name == EVERYONE and narrowed is not None and "NotPrincipal" not in statement.raw:
            yield from ((principal, direct) for principal in narrowed)
        else:
            yield name, direct


def _of_account(
    statement: NamedStatement, account: str, narrowed: list[str] | None
) -> Iterator[tuple[str, Through]]:
    """Whom a statement lets in that names an account: what its IAM allows, and the root user."""
    root = root_arn(account)
    if narrowed is None:
        pointer = _WHOLE_ACCOUNT.format(account=account)
        yield root, Through("iam", sid=statement.name, account=account, pointer=pointer)
        return
    for principal in narrowed:
        if principal == root:
            # The root user needs no IAM policy; everybody else of the account does.
            yield root, Through("key_policy", sid=statement.name)
        elif find_account(principal) == account:
            yield principal, Through("iam", sid=statement.name, account=account, pointer=_ONE_PRINCIPAL)


def _takes_in(deny: Statement, principal: str) -> bool:
    if deny.principals is None:
        return False
    if deny.principals.everyone:
        return not deny.principals.negated
    who = _caller(principal)
    return who is not None and deny.principals.match(who, allow=False) is not Match.NO


def _caller(principal: str) -> Caller | None:
    """The caller behind a principal's name; None for `*`, a service, or the id of a deleted principal."""
    behind = role_behind(principal)
    try:
        return caller(principal, {"aws:principalarn": behind})
    except ValueError:
        return None


def _constraint(statement: NamedStatement, unless: list[dict[str, Any]]) -> dict[str, Any] | None:
    shown = {name: statement.raw[name] for name in ("NotPrincipal", "Condition") if statement.raw.get(name)}
    return {**shown, **({"Unless": unless} if unless else {})} or None
