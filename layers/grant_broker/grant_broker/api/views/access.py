"""Who can use a key, and what its policy must say: as the API shows it and the commands write it in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from grant_broker.access_report import AccessEntry, AccessFinding, Through
from grant_broker.api.views.usage import last_use_view, usage_view
from grant_broker.domain.times import format_time_or_none
from grant_broker.keys.key_policy import KeyPolicyAdvice

if TYPE_CHECKING:
    from grant_broker.api.shapes import access as shapes
    from grant_broker.domain.usage import Usage
    from grant_broker.keys.access import AccessPage


def report_view(page: AccessPage, usage: Mapping[str, Usage], *, cursor: str | None) -> shapes.AccessReport:
    """A page of the report; findings and counts are on the pages that have a `report`.

    `usage`: what was seen of the use of the broker's grants, by their requests; of none where nobody looks.
    """
    report = page.report
    return {
        "items": [_entry(entry, usage) for entry in page.entries],
        "findings": [_finding(finding) for finding in report.findings] if report else [],
        "counts": report.counts if report else {},
        "last_used": last_use_view(page.last_use),
        "cursor": cursor,
    }


def advice_view(advice: KeyPolicyAdvice) -> shapes.KeyPolicyAdvice:
    """What a key's policy must say for the broker."""
    return {
        "statements": advice.statements,
        "role_policies": advice.role_policies,
        "policy": advice.policy,
        "diff": advice.diff,
        "denied": list(advice.denied),
        "notes": list(advice.notes),
    }


def _entry(entry: AccessEntry, usage: Mapping[str, Usage]) -> shapes.AccessEntry:
    return {
        "principal": entry.principal,
        "actions": list(entry.actions),
        "through": _through(entry.through),
        "constraint": dict(entry.constraint) if entry.constraint else None,
        "until": format_time_or_none(entry.until),
        "usage": usage_view(usage.get(entry.through.request_id or "")),
        "findings": list(entry.findings),
    }


def _through(through: Through) -> shapes.Through:
    shown: shapes.Through = {"kind": through.kind}
    for name, value in vars(through).items():
        if value is not None:
            shown[name] = value  # type: ignore[literal-required] # the two have the same fields, by a test
    return shown


def _finding(finding: AccessFinding) -> shapes.AccessFinding:
    shown: shapes.AccessFinding = {"code": finding.code, "detail": finding.detail}
    if finding.principal:
        shown["principal"] = finding.principal
    return shown
