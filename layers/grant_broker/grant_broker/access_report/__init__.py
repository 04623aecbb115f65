"""Who can use or manage a key, and by what: read from its policy and its grants, without a call."""

from grant_broker.access_report.actions import KEY_ACTIONS
from grant_broker.access_report.entries import Entry, Finding, Through
from grant_broker.access_report.report import Report, Tally

__all__ = [
    "KEY_ACTIONS",
    "Entry",
    "Finding",
    "Report",
    "Tally",
    "Through",
]
