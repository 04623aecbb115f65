"""Notices as they lie in the queue: ours, or calls that EventBridge's rule put there."""

from typing import Any

from pydantic import AliasPath, BaseModel, Field

from grant_broker.domain.notices import CALL, Notice
from grant_broker.domain.quoting import quoted


class _Call(BaseModel):
    """What CloudTrail says of a watched call, by way of EventBridge; anything of it may be missing."""

    service: str = Field("unknown", validation_alias=AliasPath("detail", "eventSource"))
    name: str = Field("unknown", validation_alias=AliasPath("detail", "eventName"))
    by: str = Field("unknown", validation_alias=AliasPath("detail", "userIdentity", "arn"))
    refused: str | None = Field(None, validation_alias=AliasPath("detail", "errorCode"))
    asked: Any = Field(None, validation_alias=AliasPath("detail", "requestParameters"))
    on: Any = Field(None, validation_alias=AliasPath("detail", "resources", 0, "ARN"))
    at: str = Field("unknown", validation_alias=AliasPath("time"))


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
