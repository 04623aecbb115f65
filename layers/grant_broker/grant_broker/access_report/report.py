"""The report: entries, findings and counts, over a key's policies and any number of grants."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from grant_broker.access_report.entries import AccessEntry, AccessFinding
from grant_broker.access_report.findings import (
    administrator_findings,
    policy_findings,
    reading_findings,
    standing_access,
)
from grant_broker.access_report.grant_findings import GrantFindings, Maker, maker_of
from grant_broker.access_report.grants import DUPLICATE, entry_of, likeness
from grant_broker.access_report.identities import Identity, entries_by_iam, unreadable
from grant_broker.access_report.policies import KeyPolicies, entries_of
from grant_broker.domain.arns import account_of
from grant_broker.domain.listed_grant import ListedGrant

MOST_OF_A_KIND = 200
"""Findings of one kind that an answer of the API holds: no flood of one kind hides another."""


@dataclass(frozen=True)
class AccessReport:
    """Policy-derived access, and findings and counts over everything."""

    entries: tuple[AccessEntry, ...]
    findings: tuple[AccessFinding, ...]
    counts: dict[str, Any]


class AccessTally:
    """Counts and findings over grants that are seen one by one and not kept."""

    def __init__(self, key_arn: str, *, retiring_principal: str | None) -> None:
        self._key_arn = key_arn
        self._retiring_principal = retiring_principal
        self._granted: dict[str, set[str]] = {}
        self._grantees: set[str] = set()
        self._found = GrantFindings(account_of(key_arn))
        self._first: dict[Hashable, str] = {}
        self._makers: Counter[Maker] = Counter()

    def add(self, grant: ListedGrant) -> AccessEntry:
        """Take a grant in; its entry."""
        entry = entry_of(grant, self._retiring_principal)
        grant_id, principal = str(entry.through.grant_id), entry.principal
        self._makers[maker_of(entry)] += 1
        self._granted.setdefault(principal, set()).update(entry.actions)
        if entry.through.request_id:
            self._grantees.add(principal)
        duplicate = self._first.setdefault(likeness(grant), grant_id) != grant_id
        self._found.add(entry, (*entry.findings, *((DUPLICATE,) if duplicate else ())))
        return entry

    def entries_by(self, policies: KeyPolicies) -> tuple[AccessEntry, ...]:
        """Access by the key policies alone; none where they cannot be read or understood."""
        return self._of_policy(policies)[0]

    def report(
        self,
        policies: KeyPolicies,
        *,
        identities: Sequence[Identity] | None = None,
        most_of_a_kind: int | None = MOST_OF_A_KIND,
    ) -> AccessReport:
        """The whole report; of each kind of finding at most so many, None for all of them.

        `identities` are the roles and users of the account, None where IAM was not read.
        """
        of_policy, found = self._of_policy(policies)
        by_iam = self._by_iam(policies, of_policy, identities or ())
        entries = (*of_policy, *by_iam)
        # What could not be read goes before all that was; then strangers, and last what AWS does for itself.
        kinds = [
            list(reading_findings(policies)),
            list(self._found.of(Maker.FOREIGN)),
            [
                *found,
                *self._standing(by_iam),
                *administrator_findings(entries, self._granted),
                *unreadable(identities or (), self._key_arn),
            ],
            list(self._found.of(Maker.BROKER)),
            list(self._found.of(Maker.SERVICE)),
        ]
        of_key = Counter(each.code for each in chain(kinds[0], kinds[2]))
        principals = {*self._granted, *(entry.principal for entry in entries)}
        counts = {
            "principals": len(principals),
            "policy_entries": len(of_policy),
            **({} if identities is None else {"iam_entries": len(by_iam)}),
            "grants": self._makers.total(),
            "broker_grants": self._makers[Maker.BROKER],
            "service_grants": self._makers[Maker.SERVICE],
            "foreign_grants": self._makers[Maker.FOREIGN],
        }
        findings = tuple(chain.from_iterable(_bounded(found, most_of_a_kind) for found in kinds))
        return AccessReport(
            entries, findings, {**counts, "findings": dict(sorted((of_key + self._found.counts).items()))}
        )

    def _of_policy(self, policies: KeyPolicies) -> tuple[tuple[AccessEntry, ...], list[AccessFinding]]:
        if policies.default is None:
            return (), []
        try:
            entries = tuple(entries_of(policies.default, self._key_arn))
        except ValueError as error:
            words = f"the key policy cannot be read: {error}"
            return (), [AccessFinding("key_policy_not_understood", words)]
        account = account_of(self._key_arn)
        found = policy_findings(policies.default, entries, account=account, grantees=self._grantees)
        return entries, list(found)

    def _by_iam(
        self, policies: KeyPolicies, delegations: Sequence[AccessEntry], identities: Sequence[Identity]
    ) -> tuple[AccessEntry, ...]:
        if policies.default is None or not delegations:
            return ()
        return tuple(entries_by_iam(policies.default, self._key_arn, delegations, identities))

    def _standing(self, entries: Iterable[AccessEntry]) -> Iterator[AccessFinding]:
        account = account_of(self._key_arn)
        for entry in entries:
            yield from standing_access(entry, account=account, grantees=self._grantees)


def _bounded(findings: Iterable[AccessFinding], most: int | None) -> Iterator[AccessFinding]:
    """At most so many findings of each code; how many are left out is said in a finding of its own."""
    seen: Counter[str] = Counter()
    for finding in findings:
        seen[finding.code] += 1
        if most is None or seen[finding.code] <= most:
            yield finding
    for code, count in seen.items():
        if most is not None and count > most:
            words = f"{count - most} more findings {code}: `grant-broker access` prints all of them"
            yield AccessFinding("more", words)
