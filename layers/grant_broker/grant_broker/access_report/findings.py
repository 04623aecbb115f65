"""What somebody should look at in a key's policies, and among those who manage the key."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from grant_broker.access_report.actions import ADMINISTRATION, USE
from grant_broker.access_report.conditions import Block, accounts_in, through_service
from grant_broker.access_report.entries import AccessEntry, AccessFinding
from grant_broker.access_report.grants import UNIQUE_ID
from grant_broker.access_report.policies import EVERYONE, KeyPolicies, not_understood
from grant_broker.access_report.statements import Document, statements_of, without_effect
from grant_broker.domain.arns import find_account, root_arn
from grant_broker.domain.key_policy import listed

_USE, _ADMINISTRATION = frozenset(USE), frozenset(ADMINISTRATION)


def reading_findings(policies: KeyPolicies) -> Iterator[AccessFinding]:
    """What of the key's policies could not be read, so that the report does not speak of it."""
    if policies.default is None:
        words = "KMS does not show the key policy to this caller: only grants are reported"
        yield AccessFinding("key_policy_unreadable", words)
    elif policies.names is None:
        words = (
            "KMS does not list the key's policies to this caller: whether there is a second one is not known"
        )
        yield AccessFinding("key_policies_not_listed", words)
    for name in policies.others:
        words = (
            f"the key has a second policy, {name}, which Resource Access Manager puts: it is not judged here"
        )
        yield AccessFinding("key_policy_not_judged", words)


def policy_findings(
    document: Document, entries: Collection[AccessEntry], *, account: str, grantees: Collection[str]
) -> Iterator[AccessFinding]:
    """Findings in a key policy. `account` is the key's, `grantees` hold grants of the broker."""
    for entry in entries:
        if entry.principal == EVERYONE:
            yield from _open_to_everyone(entry, account)
        yield from standing_access(entry, account=account, grantees=grantees)
    for name, principal in _deleted(document):
        words = f'statement "{name}" of the key policy names a principal that was deleted'
        yield AccessFinding("deleted_principal", words, principal)
    for name, missing in without_effect(document):
        words = f'statement "{name}" of the key policy has no {missing}: it neither allows nor denies'
        yield AccessFinding("statement_without_effect", words)
    for name, condition in not_understood(document):
        words = f'the condition {condition} in statement "{name}" is not understood: taken as not widening'
        yield AccessFinding("condition_not_understood", words)


def standing_access(
    entry: AccessEntry, *, account: str, grantees: Collection[str]
) -> Iterator[AccessFinding]:
    """Use of the key without an end that a grant of the broker could replace."""
    if not _USE.intersection(entry.actions):
        return
    other = find_account(entry.principal) or account
    if entry.until is None and other != account:
        why = "to another account: a grant of the broker would end by itself"
    elif entry.principal in grantees:
        why = "to a principal that also holds grants of the broker"
    else:
        return
    yield AccessFinding("standing_access", f"{_statement(entry)} gives standing use {why}", entry.principal)


def administrator_findings(
    entries: Iterable[AccessEntry], granted: Mapping[str, Collection[str]]
) -> Iterator[AccessFinding]:
    """Principals who both manage the key and use it; the root user, who keeps full access, is none."""
    held: dict[str, set[str]] = {}
    for entry in entries:
        if entry.through.kind == "iam" or not entry.principal.endswith(":root"):
            held.setdefault(entry.principal, set()).update(entry.actions)
    for principal, actions in held.items():
        actions.update(granted.get(principal, ()))
        if _ADMINISTRATION & actions and (use := sorted(_USE & actions)):
            words = f"manages the key and may use it: {', '.join(use)}"
            yield AccessFinding("administrator_use", words, principal)


def _open_to_everyone(entry: AccessEntry, account: str) -> Iterator[AccessFinding]:
    block = _conditions(entry)
    accounts = accounts_in(block)
    if accounts is None:
        limits = "only its conditions limit it" if entry.constraint else "without any condition"
        words = f"{_statement(entry)} lets every principal in: {limits}"
        yield AccessFinding("everyone", words, EVERYONE)
        return
    if accounts == {account} and through_service(block):
        # As in the policies of AWS managed keys: whom the service serves is for the account's IAM to say.
        return
    named = "the key's own account" if accounts == {account} else f"account {', '.join(sorted(accounts))}"
    words = f"{_statement(entry)} lets every principal of {named} in: only its conditions limit it"
    yield AccessFinding("everyone", words, EVERYONE)
    if entry.until is None and _USE.intersection(entry.actions):
        for other in sorted(accounts - {account}):
            words = f"{_statement(entry)} gives standing use to another account: "
            words += "a grant of the broker would end by itself"
            yield AccessFinding("standing_access", words, root_arn(other))


def _deleted(document: Document) -> Iterator[tuple[str, str]]:
    """Name of a statement, whether it allows or denies, and a deleted principal that it names."""
    for statement in statements_of(document):
        for element in ("Principal", "NotPrincipal"):
            kinds = statement.raw.get(element)
            named = listed(kinds.get("AWS", [])) if isinstance(kinds, Mapping) else []
            yield from ((statement.name, name) for name in named if UNIQUE_ID.fullmatch(name))


def _conditions(entry: AccessEntry) -> Block:
    found: Block = (entry.constraint or {}).get("Condition", {})
    return found


def _statement(entry: AccessEntry) -> str:
    return f'statement "{entry.through.sid}" of the key policy'
