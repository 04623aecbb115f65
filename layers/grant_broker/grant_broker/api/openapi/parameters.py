"""Path, query and header parameters, by name: each means the same wherever it stands."""

from typing import Any

from grant_broker.api import searches
from grant_broker.domain import arns
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.texts import ecma

_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_KEY_ID = {"type": "string", "pattern": f"^{arns.KEY_ID.pattern}$"}
_KEY_ARN = {
    "type": "string",
    "pattern": f"^{arns.KEY.pattern}$",
}
_SESSIONS = "An ARN; that of a role stands for all its sessions."
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z$"

_ACCOUNT = {"type": "string", "pattern": f"^{arns.ACCOUNT.pattern}$"}
PATH: dict[str, dict[str, Any]] = {
    "request_id": _ID,
    "approval_id": _ID,
    "revocation_id": _ID,
    "key_id": _KEY_ID,
    "account": _ACCOUNT,
    "kind": {"type": "string", "enum": ["break-glass"]},
    "review_id": _ID,
}

_PRINCIPAL = {"type": "string", "pattern": ecma(arns.PRINCIPAL), "description": _SESSIONS}
QUERY: dict[str, dict[str, Any]] = {
    "status": {"type": "string", "enum": [str(status) for status in Status]},
    "key": {
        "type": "string",
        "pattern": f"{_KEY_ARN['pattern']}|^[a-z0-9_-]{{1,64}}$",
        "description": "The ARN of a key, or the name it is registered by.",
    },
    "key_arn": _KEY_ARN,
    "account": _ACCOUNT,
    "grantee": _PRINCIPAL,
    "requester": _PRINCIPAL,
    "by": {"type": "string", "pattern": ecma(searches.BY), "description": _SESSIONS},
    "type": {"type": "string", "pattern": ecma(searches.TYPE), "examples": ["approved"]},
    "request": _ID,
    "since": {"type": "string", "pattern": _TIME, "examples": ["2026-01-31T09:30:00Z"]},
    "until": {
        "type": "string",
        "pattern": _TIME,
        "examples": ["2026-01-31T09:30:00Z"],
        "description": "What happened before, not at it.",
    },
    "get_seen_requests.order": {
        "type": "string",
        "enum": ["newest", "answer_by"],
        "default": "newest",
        "description": "`answer_by`: pending requests alone, the one that lapses first at the head.",
    },
    "get_events.order": {"type": "string", "enum": ["oldest", "newest"], "default": "oldest"},
    "revoke_active": {"type": "string", "enum": ["true", "false"], "default": "false"},
    "dry_run": {"type": "string", "enum": ["true", "false"], "default": "false"},
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
    "cursor": {"type": "string", "minLength": 1, "maxLength": 2048},
}
"""By name; where a name means something else on one route, by the operation and the name."""

IF_MATCH: dict[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that was read: 412 where the key has changed since.",
    "schema": {"type": "string", "pattern": '^(?:\\*|(?:W/)?"[!#-~]{0,64}"(?:, *(?:W/)?"[!#-~]{0,64}")*)$'},
}
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body: the same status, with the resource as it is now.",
    "schema": {"type": "string", "pattern": "^[!-~](?:[ -~]{0,126}[!-~])?$"},
}
