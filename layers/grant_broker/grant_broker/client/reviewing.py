"""One request, event or change in words, as the security team needs them to decide."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from grant_broker.client.access_words import last_use_in_words
from grant_broker.client.printing import moment, print_fields, printable
from grant_broker.client.showing import Names, request_fields
from grant_broker.domain.arns import find_account
from grant_broker.domain.windows import days_in_words

if TYPE_CHECKING:
    from grant_broker.api.shapes.accounts import NamedAccount
    from grant_broker.api.shapes.approvals import WindowShown
    from grant_broker.api.shapes.events import Event
    from grant_broker.api.shapes.requests import (
        BrokenGlass,
        OtherGrant,
        Preflight,
        RequestSeen,
        RequestWithTrail,
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


def print_seen_request(
    request: "RequestSeen | RequestWithTrail",
    account: "NamedAccount | None" = None,
    names: Names | None = None,
) -> None:
    """Print one request with all that helps to decide; `account`: what is said of its account."""
    found = request["preflight"]
    print_fields(
        [
            *request_fields(request, names),
            ("account", f"{request['requester']['account']} {account['name']}" if account else ""),
            ("contact", (account["contact"] or "") if account else ""),
            ("votes", votes_in_words(request)),
            ("break-glass", _broken(request["broken_glass"])),
            ("you decide", decides(may=request["may_decide"])),
            ("preflight", preflight_in_a_word(found)),
            *(
                (f"  {name.replace('_', ' ')}", f"{finding['answer']}: {finding['reason']}")
                for name, finding in (found or {}).items()
                if isinstance(finding, dict)
            ),
            *_key_last_used(request),
            *(("other grant", _other(other)) for other in request["others"]),
        ]
    )


def event_detail(event: "Event") -> str:
    """What an event says beside what its request says itself."""
    return " ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in event["detail"].items()
        if name not in _OF_THE_REQUEST and value is not None
    )


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


def _key_last_used(request: "RequestSeen | RequestWithTrail") -> Iterator[tuple[str, str]]:
    if "key_last_used" in request:
        # Where one request is looked at, not in lists.
        yield "key by anybody", last_use_in_words(cast("RequestWithTrail", request)["key_last_used"])


def _other(other: "OtherGrant") -> str:
    return f"{other['id']} {','.join(other['operations'])} until {moment(other['expires_at'])}"


def decides(*, may: bool) -> str:
    """Whether whoever looks may decide."""
    return "yes" if may else "no"


def _broken(glass: "BrokenGlass | None") -> str:
    return f"by {glass['by']}: {glass['reason']}" if glass else ""


def votes_in_words(request: "RequestSeen") -> str:
    """How many votes there are that count, of how many."""
    needed = request["votes"]["needed"]
    return f"{request['votes']['given']} of {'?' if needed is None else needed}"


def windows_in_words(windows: "list[WindowShown] | None") -> str:
    """The hours of a standing approval on a line."""
    return "; ".join(map(_window, windows or ())) or "any time"


def _window(window: "WindowShown") -> str:
    return f"{days_in_words(window['days'])} {window['from']}-{window['to']} {window['time_zone']}"
