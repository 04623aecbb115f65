"""What the security team should hear of an event: in the broker's own words, the rest quoted."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.next_steps import TO_ANSWER, next_steps
from grant_broker.domain.quoting import quoted
from grant_broker.domain.times import format_time, parse_time
from grant_broker.domain.trail import Event

LARGEST_NOTICE = 20_000
"""Characters of a notice, which is ASCII; what is longer is cut."""
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
    deadline = _time(event.detail.get("answer_by")) if event.type in TO_ANSWER else None
    lines = [
        f"{title} ({event.type})",
        f"When: {format_time(event.at)}",
        *([f"Answer by: {deadline}"] if deadline else []),
        f"About: {quoted(event.subject)}",
        *([f"Account: {quoted(account)} {quoted(event.detail.get('account'))}"] if account else []),
        f"By: {quoted(event.by)}",
        *_quoted_lines(event.detail),
        f"Event: {quoted(event.id)}",
        *next_steps(event),
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


def _time(value: object) -> str | None:
    """A time in the broker's own form, None for anything else: a forged event may hold whatever it likes."""
    try:
        return format_time(parse_time(value))
    except ValueError:
        return None
