"""The checker's own reading of the tables: no code of the broker, and no call through it."""

import hashlib
import json
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from tests.local_stack.people import APPROVER_ROLE, HOME, REVIEW_ROLE

NEXT = {
    "pending": {"approved", "denied", "withdrawn", "lapsed", "revoked", "failed"},
    "approved": {"issuing", "withdrawn", "lapsed", "revoked"},
    "issuing": {"active", "ending", "failed"},
    "active": {"ending", "expired"},
    "ending": {"expired", "revoked", "released"},
}
FINAL = {"denied", "withdrawn", "lapsed", "failed", "expired", "revoked", "released"}
SKEW = timedelta(seconds=70)
"""By how much the clocks of two functions may differ, and `starts_at` may lie behind "now"."""
RATE = 5
"""Grants that are ended in a second, at most."""
ON_TIME = 5
"""Seconds that an end may wait for its turn."""
ISSUE_RATE = 2
"""The rate that `requests` counts with: lower, so that few grants are more than end on time."""
TOO_MANY = ISSUE_RATE * (ON_TIME + 1) + 2
"""Of so many grants that would end in one second two are refused."""
Plain = dict[str, Any]
_IDENTITY_CENTER = "AWSReservedSSO_"
_LISTED = {(HOME, APPROVER_ROLE), (HOME, REVIEW_ROLE)}


def plain(item: Plain | None) -> Plain:
    """An item without DynamoDB's types; empty where there is none."""
    return {name: _value(value) for name, value in (item or {}).items()}


def _value(typed: Plain) -> Any:
    ((kind, content),) = typed.items()
    match kind:
        case "M":
            return {name: _value(value) for name, value in content.items()}
        case "L":
            return [_value(value) for value in content]
        case "N":
            return int(content)
        case "NULL":
            return None
    return content


def time(text: str) -> datetime:
    """A stored time."""
    return datetime.fromisoformat(text)


def seconds(text: str | int) -> int:
    """A stored duration: days, hours, minutes and seconds of ISO 8601."""
    if isinstance(text, int):
        return text
    date, _, clock = text.removeprefix("P").partition("T")
    total, number = int(date.removesuffix("D") or 0) * 86_400, ""
    for letter in clock:
        if letter.isdigit():
            number += letter
        else:
            total, number = total + int(number) * {"H": 3600, "M": 60, "S": 1}[letter], ""
    return total


def sealed(event: Plain) -> str:
    """The hash that an event must carry: over everything else in it, in canonical JSON."""
    kept = ("id", "subject", "sequence", "at", "type", "by", "request_id", "detail", "previous")
    content = {name: event.get(name) for name in kept}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def role_of(arn: str) -> tuple[str, str]:
    """The account and the name of a role, of a session's too."""
    _, _, _, _, account, rest = arn.split(":", 5)
    parts = rest.split("/")
    return account, parts[1] if parts[0] == "assumed-role" else parts[-1]


def _session(arn: str) -> str | None:
    return arn.rpartition("/")[2].casefold() if ":assumed-role/" in arn else None


def person(arn: str) -> tuple[str, ...]:
    """Who calls: Identity Center's listed roles tell people apart, any other role is one person."""
    role = role_of(arn)
    return ("by name", _session(arn) or "") if role in _LISTED else role


def is_party(voter: str, *, requester: str | None, grantee: str | None) -> bool:
    """Whether a voter is, or may be, who asked or who would hold the grant."""
    return bool(requester and _asked(voter, requester)) or bool(grantee and _holds(voter, grantee))


def _asked(voter: str, requester: str) -> bool:
    account, role = role_of(requester)
    unsure = role.startswith(_IDENTITY_CENTER) and (account, role) not in _LISTED
    return person(voter) == person(requester) or (unsure and _session(voter) == _session(requester))


def _holds(voter: str, grantee: str) -> bool:
    named = _session(grantee)
    if role_of(grantee)[1].startswith(_IDENTITY_CENTER):
        return named is None or named == _session(voter)
    return role_of(voter) == role_of(grantee)


def agreed(persons: Iterable[tuple[str, ...]], quorum: int) -> int:
    """How many distinct persons count: above one those alone whom Identity Center tells apart."""
    return len({who for who in persons if quorum == 1 or who[0] == "by name"})


def may_ask(requester: str, limits: Plain) -> bool:
    """Whether a key's list of requesters, if it has one, names the caller's role."""
    listed = limits.get("requesters")
    return listed is None or role_of(requester) in {role_of(each) for each in listed}


def uncovered(
    request: Plain, key: Plain, votes: Plain, standing: Plain, approvers: Collection[tuple[str, str]] | None
) -> str | None:
    """Why nothing in the approval table lets this request be granted at this moment, or None.

    `approvers` are the roles of the key's own list, None where it has none.
    """
    limits, pairs = key.get("document", {}), request["scope"]["encryption_context"]
    approval = standing or votes
    required = {
        name: value.replace("${account}", request["account"])
        for name, value in limits.get("required_context", {}).items()
    }
    checks = {
        "the key is not open": not key or "withdrawn_at" in key,
        "the key is not open to the account": request["account"] not in limits.get("accounts", ()),
        "the key is not open to the requester": not may_ask(request["requester_arn"], limits),
        "an operation is not offered": not set(request["scope"]["operations"])
        <= set(limits.get("operations", ())),
        "longer than the key allows": seconds(request["duration"]) > seconds(limits.get("max_duration", 0)),
        "a required pair of the encryption context lacks": not required.items() <= pairs.items(),
        "there is no approval": not approval,
        "it was withdrawn": "withdrawn_at" in approval,
        "it was denied": any(vote["verdict"] == "deny" for vote in approval.get("votes", ())),
        "it is for another key": approval.get("key_arn") != request["key_arn"],
        "it is for another account": approval.get("account") != request["account"],
        "it is for another grantee": approval.get("grantee") not in {None, request["grantee"]},
    }
    found = next((why for why, wrong in checks.items() if wrong), None)
    return found or _too_little(request, limits, approval, approvers) or _too_much(request, approval)


def unbreakable(request: Plain, key: Plain) -> str | None:
    """Why break-glass does not let this request be granted at this moment, or None."""
    limits = key.get("document", {})
    rules = limits.get("break_glass")
    if not rules:
        return "the key has none"
    named = {role_of(each) for each in rules["principals"]}
    longest = min(seconds(rules["max_duration"]), seconds(limits["max_duration"]))
    checks = {
        "the key is not open": "withdrawn_at" in key,
        "the key is not open to the account": request["account"] not in limits["accounts"],
        "the key is not open to the requester": not may_ask(request["requester_arn"], limits),
        "an operation is not offered": not set(request["scope"]["operations"]) <= set(limits["operations"]),
        "it lasts too long": seconds(request["duration"]) > longest,
        "its grantee is not named": role_of(request["grantee"]) not in named,
        "who took it is not named": role_of(request["broken_glass"]["by"]) not in named,
    }
    return next((why for why, wrong in checks.items() if wrong), None)


def _too_little(
    request: Plain, limits: Plain, approval: Plain, approvers: Collection[tuple[str, str]] | None
) -> str | None:
    persons = [
        person(vote["by"]) for vote in approval["votes"]
        if vote["verdict"] == "approve" and vote["digest"] == approval["digest"]
        and (approvers is None or role_of(vote["by"]) in approvers)
        and not is_party(vote["by"], requester=request["requester_arn"], grantee=request["grantee"])
    ]  # fmt: skip
    votes = agreed(persons, limits["quorum"])
    return None if votes >= limits["quorum"] else f"{votes} of {limits['quorum']} votes"


def longest_held(key: Plain) -> timedelta:
    """How long a grantee may hold without a break by standing approvals."""
    limits = key["document"]
    return timedelta(seconds=seconds(limits.get("max_continuous") or limits["max_duration"]))


def meet(one: Plain, other: Plain) -> bool:
    """Whether two scopes both allow some encryption context."""
    first, second = one["encryption_context"], other["encryption_context"]
    match one["context_match"], other["context_match"]:
        case "equals", "equals":
            return bool(first == second)
        case "equals", _:
            return bool(second.items() <= first.items())
        case _, "equals":
            return bool(first.items() <= second.items())
    return all(second.get(name, value) == value for name, value in first.items())


def _too_much(request: Plain, approval: Plain) -> str | None:
    asked, allowed = request["scope"], approval["scope"]
    pairs, fixed = asked["encryption_context"], allowed["encryption_context"]
    longest = min(seconds(vote.get("duration") or approval["max_duration"]) for vote in approval["votes"])
    at = time(request.get("starts_at") or request["created_at"])
    within = (
        fixed.items() <= pairs.items() if allowed["context_match"] == "subset"
        else asked["context_match"] == "equals" and fixed == pairs
    )  # fmt: skip
    checks = {
        "an operation is not approved": not set(asked["operations"]) <= set(allowed["operations"]),
        "the encryption context is not approved": not within,
        "longer than approved": seconds(request["duration"])
        > min(longest, seconds(approval["max_duration"])),
        "not valid yet": time(approval["valid_from"]) - SKEW > at,
        "not valid any more": "valid_until" in approval and at >= time(approval["valid_until"]) + SKEW,
        "not within a window": not any(_is_within(request, each) for each in approval.get("windows") or ())
        and bool(approval.get("windows")),
    }
    return next((why for why, wrong in checks.items() if wrong), None)


def _is_within(request: Plain, window: Plain) -> bool:
    """Whether the clocks of UTC show a window's hours in every minute of a grant, and in its last second."""
    at, end = time(request["issued_at"]), time(request["expires_at"])
    moments = [end - timedelta(seconds=1)]
    while at < end:
        moments.append(at)
        at += timedelta(minutes=1)
    return all(_is_hour(moment, window) for moment in moments)


def _is_hour(moment: datetime, window: Plain) -> bool:
    days, since, until = window["days"], window["from"], window["to"]
    today, yesterday = (f"{moment - timedelta(days=ago):%a}".lower() in days for ago in (0, 1))
    shown = f"{moment:%H:%M}"
    if since < until:
        return today and since <= shown < until
    return (today and since <= shown) or (yesterday and shown < until)


def broken_chain(events: list[Plain], head: Plain) -> str | None:
    """What is wrong with a request's trail, its events in order, or None."""
    last = "0" * 64
    for number, event in enumerate(events, start=1):
        if event["sequence"] != number or event["previous"] != last or event["hash"] != sealed(event):
            return f"event {number} of {event['subject']} does not follow"
        last = event["hash"]
    if (head.get("events"), head.get("last_hash")) != (len(events), last):
        return f"{head.get('pk')} counts {head.get('events')} events, its trail has {len(events)}"
    return None
