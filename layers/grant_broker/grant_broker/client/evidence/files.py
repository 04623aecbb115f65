"""The evidence as files: JSON Lines and CSV of each population, and a manifest that counts and seals them."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grant_broker.client.evidence import rows, shapes
from grant_broker.client.evidence.trails import Period, by_kind, trails_of
from grant_broker.domain.times import format_time
from grant_broker.events.export import Line, Verification, verify_export

Rows = Sequence[Mapping[str, Any]]
_SHAPES: Mapping[str, type] = {
    "grants": shapes.Grant,
    "approvals": shapes.Approval,
    "keys": shapes.Named,
    "accounts": shapes.Named,
    "roles": shapes.Role,
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet may take for the beginning of a formula (OWASP, CSV Injection)."""


@dataclass(frozen=True)
class Evidence:
    """The populations of a period by name, and what the trail that they were taken from came to."""

    period: Period
    populations: Mapping[str, Rows]
    requests: Mapping[str, int]
    trail: Mapping[str, Any]
    verified: Verification

    @property
    def whole(self) -> bool:
        """Whether no trail is broken, and nothing of the export is missing."""
        return not self.verified.broken and self.verified.export is None


def gather(lines: Sequence[Line], period: Period) -> Evidence:
    """The evidence of a period out of an export of the whole trail."""
    verified = verify_export(lines)
    trails, closing = trails_of(lines)
    kinds = by_kind(trails)
    populations: dict[str, Rows] = {
        "grants": rows.grant_rows(kinds["request"], period),
        "approvals": rows.approval_rows(kinds["approval"], period),
        "keys": rows.named_rows(kinds["key"], period),
        "accounts": rows.named_rows(kinds["account"], period),
        "roles": rows.role_rows(trails, period),
    }
    granted = sum(rows.has_grant(trail) for trail in kinds["request"])
    requests = {
        "in_the_trail": len(kinds["request"]),
        "without_a_grant": len(kinds["request"]) - granted,
        "granted_and_over_before_or_made_after": granted - len(populations["grants"]),
        "granted_and_live_in_the_period": len(populations["grants"]),
    }
    trail = {
        "digest": verified.digest,
        "trails": len(verified.trails),
        "events": sum(len(trail.events) for trail in trails),
        "with_approval_table": closing is not None and closing.approval_table,
        "broken": {subject: breach.detail for subject, breach in verified.broken.items()},
        "fault": verified.export,
    }
    return Evidence(period, populations, requests, trail, verified)


def write_files(evidence: Evidence, folder: Path) -> None:
    """Write each population as JSON Lines and as CSV, and last `manifest.json`; OSError.

    Without the manifest the folder is not whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, found in evidence.populations.items():
        columns = list(_SHAPES[name].__annotations__)
        for ending, text in (("jsonl", _json_lines(found)), ("csv", _csv(columns, found))):
            (folder / f"{name}.{ending}").write_bytes(text.encode())
            sha256 = hashlib.sha256(text.encode()).hexdigest()
            files.append({"name": f"{name}.{ending}", "rows": len(found), "sha256": sha256})
    manifest = {
        "since": format_time(evidence.period.since),
        "until": format_time(evidence.period.until),
        "whole": evidence.whole,
        "requests": evidence.requests,
        "trail": evidence.trail,
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _json_lines(found: Rows) -> str:
    # ASCII only, so that no text in it can move or hide another.
    return "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in found)


def _csv(columns: Sequence[str], found: Rows) -> str:
    """A table with one column a field; lists and objects are JSON in their cell."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    table.writerow(columns)
    table.writerows([_cell(row[name]) for name in columns] for row in found)
    return text.getvalue()


def _cell(value: object) -> str:
    """A value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=True)
    return f"'{text}" if text.startswith(_FORMULA) else text
