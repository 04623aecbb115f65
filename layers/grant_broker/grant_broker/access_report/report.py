"""The report: entries, findings and counts, over one key policy and any number of grants."""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grant_broker.access_report.entries import Entry, Finding
from grant_broker.access_report.findings import administrator_findings, policy_findings
from grant_broker.access_report.grants import DETAILS, DUPLICATE, Grant, entry_of, likeness
from grant_broker.access_report.policies import entries_of

MOST_FINDINGS = 1_000
"""Findings that one answer holds; the counts are exact, and each grant's entry carries its own codes."""
_SHOWN_IDS = 3


@dataclass(frozen=True)
class Report:
    """Policy-derived access, and findings and counts over everything."""

    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]
    counts: dict[str, Any]


@dataclass
class _Group:
    """The grants of one grantee that share a finding."""

    count: int = 0
    ids: list[str] = field(default_factory=list)

    def add(self, grant_id: str) -> None:
        self.count += 1
        if len(self.ids) < _SHOWN_IDS:
            self.ids.append(grant_id)

    @property
    def words(self) -> str:
        more = f" and {self.count - len(self.ids)} more" if self.count > len(self.ids) else ""
        return f"{', '.join(self.ids)}{more}"


class Tally:
    """Counts and findings over grants that are seen one by one and not kept."""

    def __init__(self, key_arn: str, *, retiring_principal: str | None) -> None:
        self._key_arn = key_arn
        self._retiring_principal = retiring_principal
        self._granted: dict[str, set[str]] = {}
        self._grantees: set[str] = set()
        self._groups: dict[tuple[str, str], _Group] = {}
        self._first: dict[Hashable, str] = {}
        self._counts = Counter(
            dict.fromkeys(("grants", "broker_grants", "service_grants", "foreign_grants"), 0)
        )

    def add(self, grant: Grant) -> Entry:
        """Take a grant in; its entry."""
        entry = entry_of(grant, self._retiring_principal)
        grant_id, principal = str(entry.through.grant_id), entry.principal
        self._counts.update(["grants", f"{_maker(entry)}_grants"])
        self._granted.setdefault(principal, set()).update(entry.actions)
        if entry.through.request_id:
            self._grantees.add(principal)
        duplicate = self._first.setdefault(likeness(grant), grant_id) != grant_id
        for code in (*entry.findings, *((DUPLICATE,) if duplicate else ())):
            self._groups.setdefault((code, principal), _Group()).add(grant_id)
        return entry

    def report(self, document: str | Mapping[str, Any] | None) -> Report:
        """The whole report; `document` None where the key policy cannot be read."""
        entries, found = self._of_policy(document)
        found += administrator_findings(entries, self._granted)
        counted = Counter(finding.code for finding in found)
        for (code, _), group in self._groups.items():
            counted[code] += group.count
        principals = {*self._granted, *(entry.principal for entry in entries)}
        counts = {"principals": len(principals), "policy_entries": len(entries), **self._counts}
        return Report(
            entries, tuple(self._capped(found)), {**counts, "findings": dict(sorted(counted.items()))}
        )

    def _of_policy(self, document: str | Mapping[str, Any] | None) -> tuple[tuple[Entry, ...], list[Finding]]:
        if document is None:
            words = "KMS does not show the key policy to this caller: only grants are reported"
            return (), [Finding("key_policy_unreadable", words)]
        try:
            entries = tuple(entries_of(document, self._key_arn))
        except ValueError as error:
            return (), [Finding("key_policy_not_understood", f"the key policy cannot be read: {error}")]
        account = self._key_arn.split(":")[4]
        return entries, list(policy_findings(document, entries, account=account, grantees=self._grantees))

    def _capped(self, found: list[Finding]) -> list[Finding]:
        every = [*found, *(self._shown(code, principal) for code, principal in self._groups)]
        if len(every) <= MOST_FINDINGS:
            return every
        left = len(every) - MOST_FINDINGS
        return [
            *every[:MOST_FINDINGS],
            Finding("more", f"{left} more: each grant's entry has its own findings"),
        ]

    def _shown(self, code: str, principal: str) -> Finding:
        return Finding(code, f"{DETAILS[code]}: {self._groups[code, principal].words}", principal or None)


def _maker(entry: Entry) -> str:
    if entry.through.request_id:
        return "broker"
    return "service" if entry.through.service else "foreign"
