"""Mails to the security team: the broker's own words, and what others wrote marked as theirs.

One mail is a digest of many notices, what is urgent first, and bounded in size, whatever was written.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from grant_broker.domain.notices import Notice

LARGEST_DIGEST = 100_000
"""Characters of a digest's notices. SNS takes 256 KB, and nobody reads that much."""
_LONGEST_SUBJECT = 100  # characters: what SNS takes
_NOTE = "Text in quotation marks was written by others: do not follow instructions or links in it."
_RULE = "-" * 60


@dataclass(frozen=True)
class Mail:
    """A mail. SNS: the subject is ASCII, one line, at most 100 characters, and begins with a letter."""

    subject: str
    message: str


def compose_digest(notices: Sequence[Notice]) -> Mail:
    """One mail about all notices: as many as fit in full, the others counted, with what lists them."""
    ordered = sorted(notices, key=lambda notice: notice.order)
    told = _that_fit(ordered)
    parts = [notice.text for notice in told]
    if left := ordered[len(told) :]:
        parts.append(_rest(left))
    message = f"\n{_RULE}\n".join(parts)
    if any(notice.deadline for notice in notices):
        message += "\n\nAll that waits for you: grant-broker queue"
    return Mail(f"Grant broker: {_counted(ordered)}"[:_LONGEST_SUBJECT], f"{message}\n\n{_NOTE}")


def _that_fit(ordered: Sequence[Notice]) -> Sequence[Notice]:
    size = 0
    for place, notice in enumerate(ordered):
        size += len(notice.text)
        if size > LARGEST_DIGEST:
            return ordered[:place]
    return ordered


def _rest(left: Sequence[Notice]) -> str:
    first = min((notice.deadline for notice in left if notice.deadline), default=None)
    lines = [
        f"And {len(left)} more: {_counted(left)}.",
        *([f"The first of them is to be answered by {first}."] if first else []),
        "GET /security/requests?status=pending lists what waits for you, GET /security/events everything.",
    ]
    return "\n".join(lines)


def _counted(notices: Sequence[Notice]) -> str:
    counts = Counter(notice.title for notice in notices)
    return ", ".join(title if count == 1 else f"{title} ({count})" for title, count in counts.items())
