"""Requests, approvals, keys and events in words, as the security team needs them to decide."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from grant_broker.client.printing import moment, pairs, print_fields, print_table, printable
from grant_broker.client.showing import request_fields
from grant_broker.domain.arns import find_account, key_id_of
from grant_broker.domain.windows import days_in_words

if TYPE_CHECKING:
    from grant_broker.api.security_shapes import (
        Approval,
        BrokenGlass,
        Event,
        Key,
        MassRevocation,
        NamedAccount,
        OtherGrant,
        Preflight,
        Proposal,
        RequestSeen,
        RequestWithTrail,
        Review,
        WindowShown,
    )

# By finding the answer that somebody should know of, and what it says in a word; the worst first.
_PREFLIGHT = (
    ("grantee_accepted", "no", "no such grantee"),
    ("key_usable", "no", "key unusable"),
    ("can_create", "no", "cannot create"),
    ("can_end", "no", "cannot end"),
    ("has_access", "yes", "has access already"),
)

# What an event repeats of its request.
_OF_THE_REQUEST = {
    "requester",
    "grantee",
    "key",
    "operations",
    "encryption_context",
    "context_match",
    "starts_at",
    "reason",
    "ticket",
    "extends",
}


def print_queue(requests: Iterable["RequestSeen"], names: Mapping[str, str]) -> None:
    """Print what waits for a decision, one a line; `names`: of keys by their ARNs, of accounts by ids."""
    print_table(
        (
            "REQUEST",
            "ANSWER BY",
            "WHO",
            "ASKS FOR",
            "CONTEXT",
            "VOTES",
            "YOURS",
            "PREFLIGHT",
            "OTHERS",
            "REASON",
        ),
        [
            (
                request["id"],
                moment(request["answer_by"]),
                _who(request, names),
                _asked(request, names.get(request["key"], key_id_of(request["key"]))),
                f"{pairs(request['encryption_context'])} ({request['context_match']})",
                votes_in_words(request),
                _decides(may=request["may_decide"]),
                preflight_in_a_word(request["preflight"]),
                str(len(request["others"])),
                request["reason"],
            )
            for request in requests
        ],
    )


def principal(arn: str) -> str:
    """Account and name of whoever has this ARN; anything else as it is."""
    account = find_account(arn)
    return f"{account} {arn.partition('/')[2]}" if account else arn


def preflight_in_a_word(found: "Preflight | None") -> str:
    """The worst that was found out when the request was submitted; else what is not known; else `fine`."""
    if found is None:
        return "not known"
    answers = {
        "grantee_accepted": found["grantee_accepted"],
        "key_usable": found["key_usable"],
        "can_create": found["can_create"],
        "can_end": found["can_end"],
        "has_access": found["has_access"],
    }
    bad = [word for name, answer, word in _PREFLIGHT if answers[name]["answer"] == answer]
    unknown = [name for name, finding in answers.items() if finding["answer"] == "unknown"]
    return next(iter(bad), f"unknown: {unknown[0].replace('_', ' ')}" if unknown else "fine")


def print_review(request: "RequestSeen | RequestWithTrail", account: "NamedAccount | None" = None) -> None:
    """Print one request with all that helps to decide; `account`: what is said of its account."""
    found = request["preflight"]
    print_fields(
        [
            *request_fields(request),
            ("account", f"{request['requester']['account']} {account['name']}" if account else ""),
            ("contact", (account["contact"] or "") if account else ""),
            ("votes", votes_in_words(request)),
            ("break-glass", _broken(request["broken_glass"])),
            ("you decide", _decides(may=request["may_decide"])),
            ("preflight", preflight_in_a_word(found)),
            *(
                (f"  {name.replace('_', ' ')}", f"{finding['answer']}: {finding['reason']}")
                for name, finding in (found or {}).items()
                if isinstance(finding, dict)
            ),
            *(("other grant", _other(other)) for other in request["others"]),
        ]
    )


def print_owed(reviews: Iterable["Review"]) -> None:
    """Print reviews that are owed, one a line."""
    print_table(
        ("KIND", "ID", "SINCE", "KEY OR ACCOUNT", "WHO", "YOURS", "ABOUT"),
        [
            (
                review["kind"],
                review["id"],
                moment(review["since"]),
                key_id_of(review["key"]) if review["key"] else review["account"] or "",
                principal(review["by"]),
                _decides(may=review["may_decide"]),
                review["about"],
            )
            for review in reviews
        ],
    )


def print_events(events: Iterable["Event"]) -> None:
    """Print audit events, one a line, without what the request itself says."""
    print_table(
        ("REQUEST", "AT", "TYPE", "BY", "DETAIL"),
        [
            (
                event["request_id"] or "-",
                event["at"],
                event["type"],
                principal(event["by"]),
                event_detail(event),
            )
            for event in events
        ],
    )


def event_detail(event: "Event") -> str:
    """What an event says beside what its request says itself."""
    return " ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in event["detail"].items()
        if name not in _OF_THE_REQUEST and value is not None
    )


def print_approvals(approvals: Iterable["Approval"]) -> None:
    """Print standing approvals, one a line."""
    print_table(
        (
            "APPROVAL",
            "STATUS",
            "KEY",
            "ACCOUNT",
            "GRANTEE",
            "OPERATIONS",
            "CONTEXT",
            "AT MOST",
            "UNTIL",
            "WINDOWS",
            "YOURS",
            "REASON",
        ),
        [
            (
                approval["id"],
                approval["status"],
                key_id_of(approval["key"]),
                approval["account"],
                principal(approval["grantee"] or "any"),
                ",".join(approval["operations"]),
                f"{pairs(approval['encryption_context'])} ({approval['context_match']})",
                approval["max_duration"],
                moment(approval["valid_until"]),
                "; ".join(map(_window, approval["windows"] or ())) or "any time",
                _decides(may=approval["may_decide"]),
                approval["reason"],
            )
            for approval in approvals
        ],
    )


def print_keys(keys: Iterable["Key"]) -> None:
    """Print managed keys, one a line."""
    print_table(
        ("KEY", "AT MOST", "QUORUM", "YOURS", "ACCOUNTS", "OPERATIONS", "REQUIRED CONTEXT", "MATCH", "ARN"),
        [
            (
                key["name"],
                key["max_duration"],
                str(key["quorum"]),
                _decides(may=key["may_decide"]),
                ",".join(key["accounts"]),
                ",".join(key["operations"]),
                pairs(key["required_context"]),
                key["context_match"],
                key["key_arn"],
            )
            for key in keys
        ],
    )


def print_accounts(accounts: Iterable["NamedAccount"]) -> None:
    """Print what is said of accounts, one a line."""
    print_table(
        ("ACCOUNT", "NAME", "CONTACT", "EVENT BUS"),
        [
            (account["account"], account["name"], account["contact"] or "", account["event_bus"] or "")
            for account in accounts
        ],
    )


def print_revocations(revocations: Iterable["MassRevocation"]) -> None:
    """Print mass revocations, one a line."""
    print_table(
        ("ID", "OF", "MATCHED", "ENDED", "LEFT", "BLOCKED UNTIL", "BY", "REASON"),
        [
            (
                each["id"],
                _selected(each),
                str(each["matched"]),
                str(each["ended"]),
                str(each["left"]),
                "" if each["approval"] else each["blocked_until"] or "it is lifted",
                principal(each["by"]),
                each["reason"],
            )
            for each in revocations
        ],
    )


def _selected(revocation: "MassRevocation") -> str:
    parts = (revocation["approval"], revocation["key"], revocation["account"], revocation["grantee"])
    return " ".join(part for part in parts if part) or "everything"


def print_document(document: Mapping[str, object]) -> None:
    """Print a key's limits, a field a line."""
    print_fields(
        [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in document.items()]
    )


def print_change(before: Mapping[str, object], after: Mapping[str, object], widened: Iterable[str]) -> None:
    """Print the fields that differ, and which of them allow more than before."""
    wider = set(widened)
    for name in after:
        if before.get(name) != after[name]:
            words = "widens " if name in wider else "narrows"
            print(printable(f"{words}  {name}: {json.dumps(before.get(name))} -> {json.dumps(after[name])}"))


def print_proposals(proposals: Iterable["Proposal"]) -> None:
    """Print changes that wait for votes."""
    print_table(
        ("VOTES", "WIDENS", "NARROWS", "PROPOSED", "LAPSES"),
        [
            (
                f"{proposal['votes']} of {proposal['quorum']}",
                ",".join(proposal["widened"]),
                ",".join(proposal["narrowed"]),
                moment(proposal["proposed_at"]),
                moment(proposal["lapses_at"]),
            )
            for proposal in proposals
        ],
    )


def _who(request: "RequestSeen", names: Mapping[str, str]) -> str:
    name = names.get(request["requester"]["account"])
    return f"{name} {principal(request['grantee'])}" if name else principal(request["grantee"])


def _asked(request: "RequestSeen", key: str) -> str:
    extending = f", extending {request['extends']}" if request["extends"] else ""
    return f"{','.join(request['operations'])} for {request['duration']} on {key}{extending}"


def _window(window: "WindowShown") -> str:
    return f"{days_in_words(window['days'])} {window['from']}-{window['to']} {window['time_zone']}"


def _other(other: "OtherGrant") -> str:
    return f"{other['id']} {','.join(other['operations'])} until {moment(other['expires_at'])}"


def _decides(*, may: bool) -> str:
    """Whether whoever looks may decide."""
    return "yes" if may else "no"


def _broken(glass: "BrokenGlass | None") -> str:
    return f"by {glass['by']}: {glass['reason']}" if glass else ""


def votes_in_words(request: "RequestSeen") -> str:
    """How many votes there are that count, of how many."""
    needed = request["votes"]["needed"]
    return f"{request['votes']['given']} of {'?' if needed is None else needed}"
