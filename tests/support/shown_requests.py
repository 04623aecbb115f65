"""Requests as the API shows them to a party, for clients under test."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grant_broker.api.shapes.third_parties import Request

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::444455556666:role/partner"


def shown(status: str = "active", number: int = 1, **changes: Any) -> "Request":
    """A request of two hours in this status; `number` makes its id and its token."""
    whole: Any = {
        "id": f"{number:032x}",
        "status": status,
        "requester": {"arn": ROLE, "account": "444455556666"},
        "grantee": ROLE,
        "key": KEY,
        "operations": ["Encrypt", "GenerateDataKey"],
        "encryption_context": {"dataset": "orders"},
        "context_match": "equals",
        "duration": "PT2H",
        "asked_duration": "PT2H",
        "starts_at": None,
        "reason": "nightly upload",
        "ticket": None,
        "extends": None,
        "created_at": "2026-03-01T12:00:00Z",
        "answer_by": "2026-03-02T12:00:00Z",
        "take_up_by": None,
        "expires_at": "2026-03-01T14:00:00Z" if status == "active" else None,
        "ended_at": None,
        "end_reason": None,
        "absent_at": None,
        "safe_after": None,
        "decisions": [],
        "approval": None,
        "warnings": [],
        "grant": None,
        "usage": None,
    }
    if status == "active":
        whole["grant"] = {
            "grant_id": f"grant-{number}",
            "grant_token": f"token-{number}",
            "issued_at": "2026-03-01T12:00:00Z",
            "expires_at": "2026-03-01T14:00:00Z",
            "ends_at": "2026-03-01T14:00:00Z",
            "spread_by": "2026-03-01T12:05:00Z",
        }
    whole.update(changes)
    found: Request = whole
    return found
