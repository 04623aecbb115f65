"""Lists for the security team, one thing a line."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from grant_broker.client.printing import moment, pairs, print_table
from grant_broker.client.reviewing import (
    decides,
    event_detail,
    preflight_in_a_word,
    principal,
    votes_in_words,
    windows_in_words,
)
from grant_broker.client.showing import Names
from grant_broker.domain.arns import key_id_of

if TYPE_CHECKING:
    from grant_broker.api.shapes.accounts import NamedAccount
    from grant_broker.api.shapes.approvals import Approval
    from grant_broker.api.shapes.events import Event
    from grant_broker.api.shapes.keys import Key, Proposal
    from grant_broker.api.shapes.requests import (
        RequestSeen,
    )
    from grant_broker.api.shapes.reviews import Review
    from grant_broker.api.shapes.revocations import MassRevocation


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
                decides(may=request["may_decide"]),
                preflight_in_a_word(request["preflight"]),
                str(len(request["others"])),
                request["reason"],
            )
            for request in requests
        ],
    )


def print_owed(reviews: Iterable["Review"], names: Names) -> None:
    """Print reviews that are owed, one a line."""
    print_table(
        ("KIND", "ID", "SINCE", "KEY OR ACCOUNT", "WHO", "YOURS", "ABOUT"),
        [
            (
                review["kind"],
                review["id"],
                moment(review["since"]),
                names.get(review["key"], key_id_of(review["key"]))
                if review["key"]
                else review["account"] or "",
                principal(review["by"]),
                decides(may=review["may_decide"]),
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


def print_approvals(approvals: Iterable["Approval"], names: Names) -> None:
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
                names.get(approval["key"], key_id_of(approval["key"])),
                approval["account"],
                principal(approval["grantee"] or "any"),
                ",".join(approval["operations"]),
                f"{pairs(approval['encryption_context'])} ({approval['context_match']})",
                approval["max_duration"],
                moment(approval["valid_until"]),
                windows_in_words(approval["windows"]),
                decides(may=approval["may_decide"]),
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
                decides(may=key["may_decide"]),
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
                _blocked(each),
                principal(each["by"]),
                each["reason"],
            )
            for each in revocations
        ],
    )


def _blocked(revocation: "MassRevocation") -> str:
    """Until when it blocks; empty where it blocks nothing, as the end of a standing approval's grants."""
    if revocation["approval"]:
        return ""
    if revocation["lifted_at"]:
        return f"lifted {moment(revocation['lifted_at'])}"
    return moment(revocation["blocked_until"]) or "it is lifted"


def _selected(revocation: "MassRevocation") -> str:
    parts = (revocation["approval"], revocation["key"], revocation["account"], revocation["grantee"])
    return " ".join(part for part in parts if part) or "everything"


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
