"""Requests and keys in words, for a terminal."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from grant_broker.client.printing import moment, pairs, print_fields, print_table
from grant_broker.domain.arns import key_id_of

if TYPE_CHECKING:
    from grant_broker.api.shapes.third_parties import (
        Forecast,
        Offer,
        Request,
        RequestFields,
        RequestShown,
        Vote,
    )
    from grant_broker.api.shapes.usage import Usage


Names = Mapping[str, str]
"""What people call keys, by their ARNs."""


def print_request(request: "Request | RequestShown", names: Names | None = None) -> None:
    """Print one request, a field a line, and what its party can do next; names cost a call of their own."""
    print_fields([*request_fields(request, names), ("next", next_step(request))])


def request_fields(request: "Request | RequestShown", names: Names | None) -> list[tuple[str, str]]:
    """A request's fields by their names in words; what is not known yet is empty."""
    grant = request["grant"]
    return [
        ("request", request["id"]),
        ("status", request["status"]),
        ("key", f"{(names or {}).get(request['key'], '')} {request['key']}".strip()),
        ("requester", request["requester"]["arn"]),
        ("grantee", request["grantee"]),
        ("operations", ", ".join(request["operations"])),
        ("context", f"{pairs(request['encryption_context'])} ({request['context_match']})"),
        ("duration", _duration(request)),
        ("reason", request["reason"]),
        ("ticket", request["ticket"] or ""),
        ("extends", request["extends"] or ""),
        ("asked", moment(request["created_at"])),
        ("starts", moment(request["starts_at"])),
        ("answer by", moment(request["answer_by"])),
        ("take up by", moment(request["take_up_by"])),
        ("expires", moment(request["expires_at"])),
        ("ends", moment(grant["ends_at"]) if grant else ""),
        ("needs its token until", moment(grant["spread_by"]) if grant else ""),
        ("ended", moment(request["ended_at"])),
        ("surely forgotten by KMS", moment(request["safe_after"])),
        ("because", request["end_reason"] or ""),
        ("used", usage_in_words(request["usage"])),
        *(("decision", _vote(vote)) for vote in request["decisions"]),
        ("grant", grant["grant_id"] if grant else ""),
        ("grant token", (grant["grant_token"] or "") if grant else ""),
        *(("warning", warning) for warning in request["warnings"]),
    ]


def usage_in_words(usage: "Usage | None") -> str:
    """What was seen of a grant's use; empty where nobody looks. That none was seen proves nothing."""
    if usage is None:
        return ""
    if not usage["seen"]:
        return "never seen used (delivery is best effort: it may have been)"
    how = "last seen" if usage["certain"] else "could be: somebody's call that it allows, last seen"
    return f"{how} {moment(usage['last_seen_at'])}, {usage['count_at_least']} calls at least"


def print_requests(requests: Iterable["RequestShown"], names: Names) -> None:
    """Print a list of requests, one a line."""
    print_table(
        ("REQUEST", "STATUS", "KEY", "CONTEXT", "DURATION", "ASKED", "EXPIRES", "EXTENDS"),
        [
            (
                request["id"],
                request["status"],
                names.get(request["key"], key_id_of(request["key"])),
                pairs(request["encryption_context"]),
                request["duration"],
                moment(request["created_at"]),
                moment(request["expires_at"]),
                request["extends"] or "",
            )
            for request in requests
        ],
    )


def print_offers(offers: Iterable["Offer"]) -> None:
    """Print what may be asked for, one key a line."""
    print_table(
        ("KEY", "AT MOST", "OPERATIONS", "REQUIRED CONTEXT", "MATCH", "ARN"),
        [
            (
                offer["name"],
                offer["max_duration"],
                ",".join(offer["operations"]),
                pairs(offer["required_context"]),
                offer["context_match"],
                offer["key_arn"],
            )
            for offer in offers
        ],
    )


def print_forecast(forecast: "Forecast") -> None:
    """Print what a dry run found."""
    print_fields([("outcome", forecast["outcome"]), *(("because", reason) for reason in forecast["reasons"])])


def next_step(request: "RequestFields") -> str:
    """What its party can do now; empty where there is nothing."""
    later = f" from {request['starts_at']} on" if request["starts_at"] else ""
    steps = {
        "pending": "grant-broker wait {}",
        "approved": f"grant-broker take-up {{}}{later}",
        "issuing": "grant-broker wait {}",
        "active": "grant-broker encrypt {}, then grant-broker release {}, or grant-broker extend {} --for 1h",
    }
    return steps.get(request["status"], "").replace("{}", request["id"])


def _duration(request: "RequestFields") -> str:
    asked = request["asked_duration"]
    return request["duration"] + (f" of {asked} asked for" if asked != request["duration"] else "")


def _vote(vote: "Vote") -> str:
    shortened = f", for {vote['duration']}" if vote["duration"] else ""
    comment = f": {vote['comment']}" if vote["comment"] else ""
    return f"{vote['verdict']} by {vote['by']}{shortened}{comment}"
