"""Mails to the security team: the broker's own words, and what others wrote marked as theirs.

One mail is a digest of many notices, what is urgent first, and bounded in size, whatever was written.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, TypeAlias

from pydantic import AliasPath, BaseModel, ConfigDict, Field

from grant_broker.domain.arns import KEY
from grant_broker.domain.texts import is_id
from grant_broker.domain.times import format_time, parse_time
from grant_broker.domain.trail import Event

Notify: TypeAlias = Literal["exceptions", "all"]
"""What is mailed of a request that a standing approval covers: exceptions to its normal course, or all."""
LONGEST_TEXT = 300
"""Characters of one text that others wrote; what is longer is cut."""
_MOST_PARTS, _DEEPEST = 20, 3  # parts of a list or object that are shown, and how deep they may lie
LARGEST_NOTICE = 20_000
"""Characters of a notice, which is ASCII; what is longer is cut."""
LARGEST_DIGEST = 100_000
"""Characters of a digest's notices. SNS takes 256 KB, and nobody reads that much."""
_LONGEST_SUBJECT = 100  # characters: what SNS takes

# By the type of an event what a mail calls it, the most urgent first.
_TITLES = {
    "revocation_made": "many grants are being revoked at once",
    "revocation_finished": "a mass revocation is done",
    "block_lifted": "a block was lifted",
    "drift": "drift",
    "adopted": "drift",
    "break_glass": "break-glass was used: somebody else must review it",
    "reviews_due": "reviews are due: what nobody looks at covers nothing more in the end",
    "end_failed": "a grant could not be ended",
    "late_duplicate": "a duplicate grant was ended",
    "grants_by_others": "grants by others on a registered key",
    "check_failed": "a key policy check failed",
    "key_registered": "a key's limits",
    "key_changed": "a key's limits",
    "account_registered": "an account's entry",
    "account_changed": "an account's entry",
    "approval_made": "a standing approval",
    "answer_due": "a request lapses soon",
    "submitted": "new request",
    "revoked": "a grant or request was revoked",
    "active": "granted",
    "expired": "grant ended",
    "released": "grant ended",
}
ACCOUNT_ID = re.compile(r"[0-9]{12}")
CALL = "a watched call"
PARTNER_BUS = "a partner's bus did not take events"
# What opens a key further is told apart, and already when it is proposed.
_WIDENED = {
    "key_voted": "wider limits of a key were proposed",
    "key_changed": "a key's limits were widened",
}
_URGENCY = [CALL, *_WIDENED.values(), *dict.fromkeys(_TITLES.values()), PARTNER_BUS]
# What happens to a request in the normal course. Where a standing approval covered it, nobody waits for it.
_ROUTINE = frozenset({"submitted", "active", "expired", "released"})
_TO_ANSWER = frozenset({"submitted", "answer_due"})
# What an approver reads first; the other details follow by name.
_FIRST = (
    "requester",
    "grantee",
    "key",
    "operations",
    "encryption_context",
    "context_match",
    "duration",
    "extends",
    "starts_at",
    "expires_at",
    "reason",
    "ticket",
)
_NOTE = "Text in quotation marks was written by others: do not follow instructions or links in it."
_RULE = "-" * 60


@dataclass(frozen=True)
class Mail:
    """A mail. SNS: the subject is ASCII, one line, at most 100 characters, and begins with a letter."""

    subject: str
    message: str


class _Call(BaseModel):
    """What CloudTrail says of a watched call, by way of EventBridge; anything of it may be missing."""

    service: str = Field("unknown", validation_alias=AliasPath("detail", "eventSource"))
    name: str = Field("unknown", validation_alias=AliasPath("detail", "eventName"))
    by: str = Field("unknown", validation_alias=AliasPath("detail", "userIdentity", "arn"))
    refused: str | None = Field(None, validation_alias=AliasPath("detail", "errorCode"))
    asked: Any = Field(None, validation_alias=AliasPath("detail", "requestParameters"))
    on: Any = Field(None, validation_alias=AliasPath("detail", "resources", 0, "ARN"))
    at: str = Field("unknown", validation_alias=AliasPath("time"))


class Notice(BaseModel):
    """What the security team should hear: `title` in the broker's words, `deadline` where people must act."""

    model_config = ConfigDict(frozen=True)

    title: str
    text: str
    deadline: str | None = None

    @property
    def order(self) -> tuple[int, str]:
        """Its place in a digest: the most urgent first, and of its kind what is due first."""
        place = _URGENCY.index(self.title) if self.title in _URGENCY else -1
        return place, self.deadline or ""


def notice_of(event: Event, account: str | None = None) -> Notice | None:
    """What to tell of an event, or None where nobody needs to be told; `account`: its account's name."""
    title = _title(event)
    if title is None or _untold(event):
        return None
    deadline = _time(event.detail.get("answer_by")) if event.type in _TO_ANSWER else None
    lines = [
        f"{title} ({event.type})",
        f"When: {format_time(event.at)}",
        *([f"Answer by: {deadline}"] if deadline else []),
        f"About: {quoted(event.subject)}",
        *([f"Account: {quoted(account)} {quoted(event.detail.get('account'))}"] if account else []),
        f"By: {quoted(event.by)}",
        *_quoted_lines(event.detail),
        f"Event: {quoted(event.id)}",
        *_next_step(event),
    ]
    return Notice(title=title, text="\n".join(lines)[:LARGEST_NOTICE], deadline=deadline)


def partner_notice(account: str, name: str | None, lost: int, why: str) -> Notice:
    """What to tell of events that an account's own bus did not take."""
    lines = [
        PARTNER_BUS,
        f"About: {quoted(account)}" + (f" ({quoted(name)})" if name else ""),
        f"Events: {lost} now; the metric PartnerEventsLost counts the rest of this hour",
        f"Why: {quoted(why)}",
        f"Next: grant-broker accounts show {account} says whom to ask; the policy of its bus must let us in.",
        f"After that: grant-broker replay --account {account} --event-bus ARN --since TIME",
    ]
    return Notice(title=PARTNER_BUS, text="\n".join(lines))


def _title(event: Event) -> str | None:
    if event.detail.get("drift"):
        return "drift"
    if event.detail.get("widened") or event.detail.get("opens"):
        return _WIDENED.get(event.type) or _TITLES.get(event.type)
    return _TITLES.get(event.type)


def read_notice(body: str) -> Notice:
    """A notice as it lay in the queue: one of ours, or a call that EventBridge's rule put there."""
    try:
        return Notice.model_validate_json(body)
    except ValueError:
        return _notice_of_call(body)


def _notice_of_call(body: str) -> Notice:
    try:
        call = _Call.model_validate_json(body)
    except ValueError:
        title = "an unreadable message"
        return Notice(title=title, text=f"{title}\nIt says: {quoted(body)}")
    lines = [
        f"{CALL} ({quoted(call.name)})",
        f"When: {quoted(call.at)}",
        f"By: {quoted(call.by)}",
        *([f"On: {quoted(call.on)}"] if call.on else []),
        f"With: {quoted(call.asked)}",
        *([f"Refused: {quoted(call.refused)}"] if call.refused else []),
        f"Next: if nobody planned this, {_advice(call)}.",
    ]
    return Notice(title=CALL, text="\n".join(lines))


def _advice(call: _Call) -> str:
    if call.service == "dynamodb.amazonaws.com":
        return "its caller may write approvals or records: set the table back before the next grant"
    if call.service == "iam.amazonaws.com":
        return "treat the function of that role as taken over"
    if call.name in {"CreateGrant", "RetireGrant", "RevokeGrant"}:
        return "see what it opens in GET /security/keys/{key_id}/access and have it revoked"
    return "compare GET /security/keys with the key's policy before the next grant"


def digest(notices: Sequence[Notice]) -> Mail:
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


def quoted(value: object) -> str:
    """Any value as one line of ASCII JSON: each text in quotation marks, cut, its links made harmless."""
    return json.dumps(_harmless(value), sort_keys=True, ensure_ascii=True).replace("\x7f", "\\u007f")


def _harmless(value: object, depth: int = 0) -> object:
    if isinstance(value, int | float | None):
        return value
    if isinstance(value, dict) and depth < _DEEPEST:
        shown = {_text(name): _harmless(part, depth + 1) for name, part in islice(value.items(), _MOST_PARTS)}
        return shown if len(value) <= _MOST_PARTS else {**shown, "(cut)": len(value) - _MOST_PARTS}
    if isinstance(value, list | tuple) and depth < _DEEPEST:
        parts = [_harmless(part, depth + 1) for part in value[:_MOST_PARTS]]
        return parts if len(value) <= _MOST_PARTS else [*parts, f"({len(value) - _MOST_PARTS} cut)"]
    return _text(value)


def _text(value: object) -> str:
    text = str(value)
    cut = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} (cut)"
    return cut.replace("://", "[:]//")


def _untold(event: Event) -> bool:
    """Whether nobody needs to hear of it by mail.

    Where the key's document asks for mails about exceptions only, and this is none; where it is one of many
    that one revocation took back: that one is told, with their number.
    """
    if event.type == "revoked" and event.detail.get("revocation"):
        return True
    return (
        event.detail.get("notify") == "exceptions"
        and event.type in _ROUTINE
        and not event.detail.get("drift")
    )


def _quoted_lines(detail: Mapping[str, object]) -> Iterable[str]:
    names = [name for name in _FIRST if name in detail] + sorted(detail.keys() - set(_FIRST))
    return (f"{quoted(name)}: {quoted(detail[name])}" for name in names if detail[name] is not None)


def _next_step(event: Event) -> list[str]:
    """The commands to copy, and the calls behind them; only what can be nothing but an id is in them."""
    kind, _, name = event.subject.partition("#")
    if kind == "key" and KEY.fullmatch(name):
        return _for_a_key(event.type, name)
    if kind == "account" and ACCOUNT_ID.fullmatch(name):
        return [f"Next: grant-broker accounts show {name}"]
    if kind == "revocation" and is_id(name):
        path = f"/security/revocations/{name}"
        return [f"Next: GET {path} shows how far it is; DELETE {path} lifts its block."]
    if event.request_id is None or not is_id(event.request_id):
        return []
    return _for_a_request(event.type, event.request_id)


def _for_a_key(event_type: str, key_arn: str) -> list[str]:
    if event_type != "key_voted":
        return [f"Next: grant-broker keys show {key_arn}"]
    path = "/security/keys/{key_id}"
    return [
        f"Next: grant-broker keys proposals {key_arn}",
        f"Agree: grant-broker keys vote {key_arn}",
        f"By the API: GET {path}/proposals shows all of it; PUT {path} of the same document agrees.",
    ]


def _for_a_request(event_type: str, request_id: str) -> list[str]:
    path = f"/security/requests/{request_id}"
    look = f"Next: grant-broker show {request_id}"
    if event_type in _TO_ANSWER:
        return [
            look,
            f"Approve: grant-broker approve {request_id}",
            f"Deny: grant-broker deny {request_id} --comment WHY",
            f"By the API: GET {path} shows what was found about it; POST {path}/decision decides.",
        ]
    if event_type == "break_glass":
        return [
            look,
            f"If it was right: grant-broker reviews sign-off break-glass {request_id} --comment WHAT",
            f"Take back: grant-broker revoke {request_id} --reason WHY",
        ]
    if event_type == "active":
        return [look, f"Take back: grant-broker revoke {request_id} --reason WHY"]
    return [look]


def _time(value: object) -> str | None:
    """A time in the broker's own form, None for anything else: a forged event may hold whatever it likes."""
    try:
        return format_time(parse_time(value))
    except ValueError:
        return None


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
