"""One row of evidence a grant, standing approval, key, account and role, from their events alone."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from grant_broker.client.evidence.shapes import Approval, Grant, Named, Role, Said, Scope
from grant_broker.client.evidence.trails import Period, Trail
from grant_broker.domain.arns import find_account
from grant_broker.domain.times import format_time, format_time_or_none, parse_span, parse_time
from grant_broker.domain.trail import Event, Json
from grant_broker.domain.usage import Usage

DECISIONS = (
    "voted",
    "approved",
    "denied",
    "approval_made",
    "approval_voted",
    "key_registered",
    "key_changed",
    "key_voted",
)
"""Events by which somebody of the security team agrees to something, or does not."""
REVIEWED = "reviewed"
_ENDS = ("expired", "revoked", "released")


def grant_rows(trails: Iterable[Trail], period: Period) -> list[Grant]:
    """Every grant that was live at any time of the period, whether somebody asked for it or not."""
    found = []
    for trail in trails:
        made = _made(trail)
        over = trail.find(*_ENDS)
        if made and period.meets(made.at, over.at if over else None):
            found.append(_grant(trail, made, over))
    return found


def has_grant(trail: Trail) -> bool:
    """Whether a request ever had a grant."""
    return _made(trail) is not None


def _made(trail: Trail) -> Event | None:
    return next((event for event in trail.events if event.type in {"active", "adopted"}), None)


def _grant(trail: Trail, made: Event, over: Event | None) -> Grant:
    asked = trail.find("submitted")
    about = asked.detail if asked else made.detail
    intent, ending = trail.find("issuing"), trail.find("ending")
    until = (intent or made).detail.get("expires_at")
    usage = trail.usage or Usage(request_id=trail.id)
    return {
        "request": trail.id,
        "key": about.get("key"),
        "account": find_account(about.get("grantee") or ""),
        "requester": about.get("requester"),
        "grantee": about.get("grantee"),
        **_scope(about),
        "reason": about.get("reason"),
        "ticket": about.get("ticket"),
        "extends": about.get("extends"),
        "asked_at": _at(asked),
        "asked_duration": about.get("duration"),
        "decisions": [
            _said(event, event.detail.get("verdict", event.type)) for event in trail.all("voted", "approved")
        ],
        "standing_approval": (asked.detail.get("approval") if asked else None),
        "break_glass": trail.find("break_glass") is not None,
        "made_at": format_time(made.at),
        "grant_id": made.detail.get("grant_id"),
        "expires_at": until,
        "ended_at": _at(over),
        "end": over.type if over else None,
        "end_reason": over.detail.get("reason") if over else None,
        "end_asked_by": ending.by if ending else None,
        "seconds_late": _late(over, _due(intent, ending, until)),
        "absent_at": format_time_or_none(trail.absent_at),
        "first_seen_used": format_time_or_none(usage.first_seen_at),
        "last_seen_used": format_time_or_none(usage.last_seen_at),
        "seen_used_at_least": usage.count,
        "seen_used_certainly": usage.certain,
        "drift": any(event.detail.get("drift") for event in trail.events),
        "reviews": _reviews(trail),
        "last_hash": trail.events[-1].hash,
    }


def _due(intent: Event | None, ending: Event | None, until: str | None) -> datetime | None:
    """When the grant was to end: when somebody said so, else its key's margin before its expiry."""
    if ending:
        return ending.at
    if until is None:
        return None
    margin = parse_span(intent.detail.get("margin", "PT0S")) if intent else 0
    return parse_time(until) - timedelta(seconds=margin)


def _late(over: Event | None, due: datetime | None) -> float | None:
    return max(0.0, (over.at - due).total_seconds()) if over and due else None


def approval_rows(trails: Iterable[Trail], period: Period) -> list[Approval]:
    """Every standing approval that held, or waited for votes, at any time of the period."""
    found: list[Approval] = []
    for trail in trails:
        made, withdrawn = trail.find("approval_made"), trail.find("approval_withdrawn")
        if made is None:
            continue
        about = made.detail
        ends = [event.at for event in (withdrawn, _denial(trail)) if event]
        over = min([*ends, parse_time(about["valid_until"])])
        if not period.meets(made.at, over):
            continue
        found.append(
            {
                "approval": trail.id,
                "key": about.get("key"),
                "account": about.get("account"),
                "grantee": about.get("grantee"),
                **_scope(about),
                "max_duration": about.get("max_duration"),
                "valid_from": about.get("valid_from"),
                "valid_until": about.get("valid_until"),
                "windows": about.get("windows"),
                "reason": about.get("reason"),
                "made_at": format_time(made.at),
                "made_by": made.by,
                "votes": [
                    _said(event, event.detail.get("verdict", "")) for event in trail.all("approval_voted")
                ],
                "withdrawn_at": _at(withdrawn),
                "withdrawn_by": withdrawn.by if withdrawn else None,
                "reviews": _reviews(trail),
                "last_hash": trail.events[-1].hash,
            }
        )
    return found


def _denial(trail: Trail) -> Event | None:
    return next((e for e in trail.all("approval_voted") if e.detail.get("verdict") == "deny"), None)


def named_rows(trails: Iterable[Trail], period: Period) -> list[Named]:
    """Every key, or account, that was known at any time of the period, as it was documented last in it."""
    found: list[Named] = []
    for trail in trails:
        kind = trail.kind
        written = [e for e in trail.all(f"{kind}_registered", f"{kind}_changed") if e.at < period.until]
        if not written:
            continue
        closed = trail.find(f"{kind}_withdrawn")
        closed = closed if closed and closed.sequence > written[-1].sequence else None
        if closed and closed.at < period.since:
            continue
        changes = [event for event in trail.events if event.type != REVIEWED and period.holds(event.at)]
        document = written[-1].detail
        found.append(
            {
                "id": trail.id,
                "name": document.get("name"),
                "document": document,
                "known_since": format_time(written[0].at),
                "closed_at": _at(closed),
                "changes": [_said(event, event.type) for event in changes],
                "reviews": _reviews(trail),
                "last_hash": trail.events[-1].hash,
            }
        )
    return found


def role_rows(trails: Sequence[Trail], period: Period) -> list[Role]:
    """Every role, or user, through which somebody decided on anything in the period."""
    decisions: dict[str, list[Event]] = defaultdict(list)
    for trail in trails:
        for event in trail.all(*DECISIONS):
            if period.holds(event.at):
                decisions[_role(event.by)].append(event)
    return [
        {
            "role": role,
            "persons": sorted({event.by for event in events}),
            "decisions": len(events),
            "first_at": format_time(min(event.at for event in events)),
            "last_at": format_time(max(event.at for event in events)),
        }
        for role, events in sorted(decisions.items())
    ]


def _scope(about: Json) -> Scope:
    return {
        "operations": about.get("operations", []),
        "encryption_context": about.get("encryption_context", {}),
        "context_match": about.get("context_match"),
    }


def _role(arn: str) -> str:
    """A session's role; whatever else it is, itself."""
    return arn.rpartition("/")[0] if ":assumed-role/" in arn else arn


def _at(event: Event | None) -> str | None:
    return format_time(event.at) if event else None


def _reviews(trail: Trail) -> list[Said]:
    return [_said(event, event.type) for event in trail.all(REVIEWED)]


def _said(event: Event, what: str) -> Said:
    return {"at": format_time(event.at), "by": event.by, "what": what, "comment": event.detail.get("comment")}
