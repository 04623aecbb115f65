"""`requests` is taken over and forges what grants are judged by: records, their times, events, names."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.end_to_end.attacks.target import Attack, Target

_DEADLINE = 60  # seconds for what a reconcile interval, shortened here, must find
Item = dict[str, Any]


def _key(request_id: str) -> Item:
    return {"pk": {"S": f"request#{request_id}"}, "sk": {"S": "request"}}


def _item(target: Target, request_id: str) -> Item:
    client = target.stack.aws("functions.requests", "dynamodb")
    return dict(
        client.get_item(TableName=target.stack.tables["requests"], Key=_key(request_id), ConsistentRead=True)[
            "Item"
        ]
    )


def _forge_active(target: Target, item: Item, **changes: Any) -> str:
    """Make a grant for what a record says, and the record say that it is active; the grant's id."""
    end = int((datetime.now(UTC) + timedelta(minutes=50)).timestamp())
    request_id, scope = item["id"]["S"], item["scope"]["M"]
    context = {name: value["S"] for name, value in scope["encryption_context"]["M"].items()}
    name = f"grant-broker/{request_id}/{end}"
    made = target.stack.aws("functions.requests", "kms").create_grant(
        KeyId=item["key_arn"]["S"], GranteePrincipal=item["grantee"]["S"],
        RetiringPrincipal=target.role("expiry"), Operations=["Encrypt"],
        Constraints={"EncryptionContextEquals": context}, Name=name,
    )["GrantId"]  # fmt: skip
    now = datetime.now(UTC)
    forged = {
        **item, "status": {"S": "active"}, "grant_id": {"S": made}, "action": {"S": "end"},
        "due": {"N": str(end)}, "expires_at": {"S": _shown(datetime.fromtimestamp(end, UTC))},
        "issued_at": {"S": _shown(now)}, "intent_at": {"S": _shown(now)}, **changes,
    }  # fmt: skip
    for left in ("ended_at", "end_reason", "end_as", "absent_at"):
        forged.pop(left, None)
    target.stack.aws("functions.requests", "dynamodb").put_item(
        TableName=target.stack.tables["requests"], Item=forged
    )
    return str(made)


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _becomes(target: Target, grant_id: str, key_arn: str) -> str:
    """What comes of a grant within an interval."""
    kms, deadline = target.stack.aws("root", "kms"), time.monotonic() + _DEADLINE
    while kms.list_grants(KeyId=key_arn, GrantId=grant_id)["Grants"]:
        if time.monotonic() > deadline:
            return "lives on"
        time.sleep(0.2)
    return "ended"


def _released_anew(target: Target) -> str:
    """A released request, granted again under its id, its record forged back to active."""
    request = target.stack.granted(encryption_context={"dataset": "used"})
    assert target.stack.call("partner", "DELETE", f"/requests/{request['id']}/grant").status == 202
    target.stack.until("released", request)
    made = _forge_active(target, _item(target, request["id"]))
    return _becomes(target, made, target.stack.key)


ATTACKS = [
    Attack("requests grants a released request anew and forges its record", "ended", _released_anew),
]
