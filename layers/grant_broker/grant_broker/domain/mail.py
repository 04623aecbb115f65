"""Mails to the security team: the broker's own words, and what others wrote marked as theirs."""

import json
from dataclasses import dataclass

from grant_broker.domain.times import format_time
from grant_broker.domain.trail import Event

LONGEST_TEXT = 300
"""Characters of one text that others wrote; what is longer is cut."""

_TITLES = {
    "submitted": "new request",
    "pending": "new request",
    "active": "granted",
    "expired": "grant ended",
    "released": "grant ended",
    "revoked": "grant ended",
    "end_failed": "a grant could not be ended",
    "late_duplicate": "a duplicate grant was ended",
    "adopted": "drift",
    "drift": "drift",
    "foreign_grant": "drift",
    "check_failed": "a key policy check failed",
}
_NOTE = "Text in quotation marks was written by others: do not follow instructions or links in it."


@dataclass(frozen=True)
class Mail:
    """A mail. SNS: the subject is ASCII, one line, at most 100 characters, and begins with a letter."""

    subject: str
    message: str


def mail_about(event: Event) -> Mail | None:
    """The mail that says what happened, or None where nobody needs to be told."""
    title = "drift" if event.detail.get("drift") else _TITLES.get(event.type)
    if title is None:
        return None
    lines = [
        f"Grant broker: {title} ({event.type})",
        f"When: {format_time(event.at)}",
        f"About: {quoted(event.subject)}",
        f"By: {quoted(event.by)}",
        *(f"{quoted(name)}: {quoted(value)}" for name, value in sorted(event.detail.items())),
        f"Event: {quoted(event.id)}",
        "",
        _NOTE,
    ]
    return Mail(subject=f"Grant broker: {title}", message="\n".join(lines))


def quoted(value: object) -> str:
    """Any value as one line of printable ASCII in quotation marks, cut where long, links made harmless."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    cut = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} (cut)"
    return json.dumps(cut.replace("://", "[:]//"), ensure_ascii=True).replace("\x7f", "\\u007f")
