"""`requests` is taken over and forges what grants are judged by: records, their times, events, names."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from grant_broker.aws.items import item_of
from grant_broker.domain.trail import Event
from tests.end_to_end.attacks.partitions import KEY_ITEM, put
from tests.end_to_end.attacks.target import PARTNER, Attack, Target

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


def _forge_active(target: Target, item: Item, *, names: bool = False, **changes: Any) -> str:
    """Make a grant for what a record says, and the record say that it is active; the grant's id.

    `names`: the record has the grant's Name, as adopted ones do.
    """
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
    if names:
        forged["kms_name"] = {"S": name}
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


def _expired_standing(target: Target) -> str:
    """A standing approval of yesterday, and a record as old as it that says it was covered by it."""
    root, ended = target.stack.aws("root", "dynamodb"), datetime.now(UTC) - timedelta(hours=12)
    context = {"dataset": "standing"}
    made = target.stack.call("alice", "POST", "/security/approvals", {
        "key": "partner_data", "account": PARTNER, "operations": ["Encrypt"], "encryption_context": context,
        "max_duration": "PT2H", "valid_until": _shown(ended + timedelta(days=1)), "reason": "nightly",
    })  # fmt: skip
    assert made.status == 201, made.body
    # Nobody waits for a day here: the account's root moves its window back.
    key = {"pk": {"S": f"approval#{made.body['id']}"}, "sk": {"S": "approval"}}
    stored = root.get_item(TableName=target.stack.tables["approvals"], Key=key)["Item"]
    window = {"valid_from": {"S": _shown(ended - timedelta(days=1))}, "valid_until": {"S": _shown(ended)}}
    root.put_item(TableName=target.stack.tables["approvals"], Item={**stored, **window})
    request = target.submit("partner", encryption_context=context)
    old = {"S": _shown(ended - timedelta(hours=1))}
    forged = _forge_active(
        target, _item(target, request["id"]), approval={"S": made.body["id"]},
        created_at=old, starts_at=old, intent_at=old,
    )  # fmt: skip
    return _becomes(target, forged, target.stack.key)


def _lowered_quorum(target: Target) -> str:
    """One vote where two are needed, and an event in the key's trail that says that one is enough."""
    request = target.own()
    assert target.vote("bob", request).body["status"] == "pending"
    client = target.stack.aws("functions.requests", "dynamodb")
    event = Event(
        id="f" * 32, subject=f"key#{target.home_key}", sequence=9, at=datetime.now(UTC) - timedelta(hours=1),
        type="key_changed", by="alice", detail={"quorum": 1}, previous="0" * 64,
    ).sealed()  # fmt: skip
    client.put_item(TableName=target.stack.tables["requests"], Item=item_of(event))
    made = _forge_active(target, _item(target, request["id"]))
    return _becomes(target, made, target.home_key)


def _other_content(target: Target) -> str:
    """A record that is not what was voted on, and says that it was adopted, so that this is not known."""
    request = target.approved(encryption_context={"dataset": "other"})
    item = _item(target, request["id"])
    made = _forge_active(target, {**item, "reason": {"S": "what nobody saw"}}, names=True)
    return _becomes(target, made, target.stack.key)


def _taken_up_late(target: Target) -> str:
    """A request that was approved and lapsed yesterday, its record saying otherwise."""
    root = target.stack.aws("root", "dynamodb")
    request = target.approved(encryption_context={"dataset": "late"})
    key = {"pk": {"S": f"request#{request['id']}"}, "sk": {"S": "approval"}}
    stored = root.get_item(TableName=target.stack.tables["approvals"], Key=key)["Item"]
    # As it is a day and a minute after the vote.
    past = {"valid_until": {"S": _shown(datetime.now(UTC) - timedelta(minutes=1))}}
    root.put_item(TableName=target.stack.tables["approvals"], Item={**stored, **past})
    return _becomes(target, _forge_active(target, _item(target, request["id"])), target.stack.key)


ATTACKS = [
    Attack("requests grants a released request anew and forges its record", "ended", _released_anew),
    Attack("requests grants under a standing approval that has expired, by an old record", "ended",
           _expired_standing),
    Attack("requests grants by one vote of two, and forges an event that lowers the quorum", "ended",
           _lowered_quorum),
    Attack("requests grants by a record of other content that calls itself adopted", "ended",
           _other_content),
    Attack("requests grants after the take-up deadline", "ended", _taken_up_late),
    *(
        Attack(f"{name} says that reconcile adopted a record", "AccessDeniedException",
               put(name, "requests", f"reconcile#adopted#{'0' * 32}", "adopted"))
        for name in ("requests", "approvals", "expiry")
    ),
    *(
        Attack(f"{name} keeps a version of a key's limits", "AccessDeniedException",
               put(name, "approvals", KEY_ITEM, "version#000001"))
        for name in ("requests", "expiry", "reconcile", "events")
    ),
]  # fmt: skip
