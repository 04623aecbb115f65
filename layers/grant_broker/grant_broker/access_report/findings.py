"""What somebody should look at, over a key policy's entries and the grants that were counted."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from grant_broker.access_report.actions import ADMINISTRATION, USE
from grant_broker.access_report.entries import Entry, Finding
from grant_broker.access_report.grants import UNIQUE_ID
from grant_broker.access_report.policies import EVERYONE, not_understood

_USE, _ADMINISTRATION = frozenset(USE), frozenset(ADMINISTRATION)


def policy_findings(
    document: str | Mapping[str, Any], entries: Collection[Entry], *, account: str, grantees: Collection[str]
) -> Iterator[Finding]:
    """Findings in a key policy. `account` is the key's, `grantees` hold grants of the broker."""
    for entry in entries:
        named = f'statement "{entry.through.sid}" of the key policy'
        if entry.principal == EVERYONE:
            limits = "only its conditions limit it" if entry.constraint else "without any condition"
            yield Finding("everyone", f"{named} lets every principal in: {limits}", EVERYONE)
        if UNIQUE_ID.fullmatch(entry.principal):
            yield Finding("deleted_principal", f"{named} names a principal that was deleted", entry.principal)
        if _USE.intersection(entry.actions) and (why := _replaceable(entry, account, grantees)):
            yield Finding("standing_access", f"{named} gives standing use {why}", entry.principal)
    for name, condition in not_understood(document):
        words = f'the condition {condition} in statement "{name}" is not understood: taken as not widening'
        yield Finding("condition_not_understood", words)


def administrator_findings(
    entries: Iterable[Entry], granted: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    """Principals who both manage the key and use it; the root user, who keeps full access, is none."""
    held: dict[str, set[str]] = {}
    for entry in entries:
        if entry.through.kind == "iam" or not entry.principal.endswith(":root"):
            held.setdefault(entry.principal, set()).update(entry.actions)
    for principal, actions in held.items():
        actions.update(granted.get(principal, ()))
        if _ADMINISTRATION & actions and (use := sorted(_USE & actions)):
            words = f"manages the key and may use it: {', '.join(use)}"
            yield Finding("administrator_use", words, principal)


def _replaceable(entry: Entry, account: str, grantees: Collection[str]) -> str | None:
    fields = entry.principal.split(":")
    other = fields[4] if len(fields) > 5 else account  # noqa: PLR2004 - an ARN's account is its fifth field
    if entry.until is None and other != account:
        return "to another account: a grant of the broker would end by itself"
    return "to a principal that also holds grants of the broker" if entry.principal in grantees else None
