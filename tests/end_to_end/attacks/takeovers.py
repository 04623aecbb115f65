"""A function is taken over: its role's credentials against KMS and the tables."""

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.end_to_end.attacks.target import CONTEXT, HOME, PARTNER, Attack, Run, Target, told, tried

_DENIED = "AccessDeniedException"
_DEADLINE = 60  # seconds for what a reconcile interval, shortened here, must find


def _grant(target: Target, **changes: Any) -> dict[str, Any]:
    """The parameters of a CreateGrant inside the fence."""
    end = int((datetime.now(UTC) + timedelta(hours=1)).timestamp())
    inside = {
        "KeyId": target.stack.key, "GranteePrincipal": target.stack.grantee("partner"),
        "RetiringPrincipal": target.role("expiry"), "Operations": ["Encrypt"],
        "Constraints": {"EncryptionContextEquals": {"forged": "1"}}, "Name": f"grant-broker/{'a' * 32}/{end}",
    }  # fmt: skip
    return {name: value for name, value in (inside | changes).items() if value is not None}


def _create(function: str, **changes: Any) -> Run:
    def run(target: Target) -> str:
        kms = target.stack.aws(f"functions.{function}", "kms")
        return tried(kms.create_grant, **_grant(target, **changes))

    return run


def _retiring_itself(target: Target) -> str:
    return _create("requests", RetiringPrincipal=target.role("requests"))(target)


def _to_own(function: str, session: str = "") -> Run:
    """A grant to a function's role, or to a session of it."""

    def run(target: Target) -> str:
        role = target.role(function)
        grantee = f"{role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/{session}"
        return _create("requests", GranteePrincipal=grantee if session else role)(target)

    return run


def _kms(function: str, operation: str, **parameters: Any) -> Run:
    def run(target: Target) -> str:
        kms, names = target.stack.aws(f"functions.{function}", "kms"), {"KeyId": target.stack.key}
        if operation in {"retire_grant", "revoke_grant"}:
            names["GrantId"] = target.grant["grant"]["grant_id"]
        return tried(getattr(kms, operation), **names, **parameters)

    return run


def _read(function: str, partition: str) -> Run:
    """GetItem of the approval table."""

    def run(target: Target) -> str:
        client = target.stack.aws(f"functions.{function}", "dynamodb")
        key = {"pk": {"S": partition}, "sk": {"S": partition.partition("#")[0]}}
        return tried(client.get_item, TableName=target.stack.tables["approvals"], Key=key)

    return run


def _tell(account: str, function: str = "events") -> Run:
    """PutEvents on another account's bus, which has no policy of its own."""

    def run(target: Target) -> str:
        bus = f"arn:aws:events:{target.stack.ready['region']}:{account}:event-bus/shut"
        entry = {"Source": "grant-broker", "DetailType": "x", "Detail": "{}", "EventBusName": bus}
        return tried(target.stack.aws(f"functions.{function}", "events").put_events, Entries=[entry])

    return run


def _write(function: str, table: str) -> Run:
    def run(target: Target) -> str:
        client = target.stack.aws(f"functions.{function}", "dynamodb")
        forged = {"pk": {"S": f"request#{'f' * 32}"}, "sk": {"S": "approval"}}
        return tried(client.put_item, TableName=target.stack.tables[table], Item=forged)

    return run


def _delete(function: str) -> Run:
    def run(target: Target) -> str:
        client = target.stack.aws(f"functions.{function}", "dynamodb")
        key = {"pk": {"S": f"request#{target.grant['id']}"}, "sk": {"S": "event#000001"}}
        return tried(client.delete_item, TableName=target.stack.tables["requests"], Key=key)

    return run


def _sent(function: str, method: str, path: str) -> Run:
    return lambda target: told(target.stack.call(f"functions.{function}", method, path))


def _live(target: Target, grant_id: str) -> bool:
    listed = target.stack.aws("key_admin", "kms").list_grants(KeyId=target.stack.key, GrantId=grant_id)
    return bool(listed["Grants"])


def _forged(target: Target, **changes: Any) -> str:
    """A grant that the taken-over function made inside its fence, and what became of it."""
    kms, neighbour = target.stack.aws("functions.requests", "kms"), target.grant["grant"]["grant_id"]
    made = kms.create_grant(**_grant(target, **changes))["GrantId"]
    deadline = time.monotonic() + _DEADLINE
    while _live(target, made):
        if time.monotonic() > deadline:
            return "lives on"
        time.sleep(0.2)
    events = target.stack.call(
        "alice", "GET", "/security/events", query={"type": "adopted", "order": "newest"}
    )
    told = [event["detail"] for event in events.body["items"] if event["detail"]["grant_id"] == made]
    assert [detail["drift"] for detail in told] == [True]
    assert _live(target, neighbour), "its neighbour ended"
    return "ended"


def _by_no_approver(target: Target) -> str:
    """A grant for a request whose only vote is of somebody who is no approver of the key any more."""
    request = target.approved_before
    # An intent may be 20 s older than its grant, and clocks differ by 10: until then earlier limits hold too.
    time.sleep(max(0.0, target.reserved_at + 31 - time.monotonic()))
    kms, end = target.stack.aws("functions.requests", "kms"), int(time.time()) + 3600
    made = kms.create_grant(**_grant(
        target, KeyId=target.duty_key, Name=f"grant-broker/{request['id']}/{end}",
        Constraints={"EncryptionContextEquals": CONTEXT},
    ))["GrantId"]  # fmt: skip
    admin, deadline = target.stack.aws("key_admin", "kms"), time.monotonic() + _DEADLINE
    while admin.list_grants(KeyId=target.duty_key, GrantId=made)["Grants"]:
        if time.monotonic() > deadline:
            return "lives on"
        time.sleep(0.2)
    return "ended"


def _as_break_glass(*, seconds: int = 290, grantee: str = "partner", count: int = 1) -> Run:
    """Grants on the emergency key as if the glass were broken; how many of them reconcile leaves alive."""

    def run(target: Target) -> str:
        key, kms = target.emergency_key, target.stack.aws("functions.requests", "kms")
        end, admin = int(time.time()) + seconds, target.stack.aws("key_admin", "kms")
        given = {"KeyId": key, "GranteePrincipal": target.stack.grantee(grantee)}
        names = [f"grant-broker/{secrets.token_hex(16)}/{end}" for _ in range(count)]
        made = {kms.create_grant(**_grant(target, **given, Name=name))["GrantId"] for name in names}
        deadline = time.monotonic() + _DEADLINE
        while True:
            listed = {each["GrantId"] for each in admin.list_grants(KeyId=key)["Grants"]}
            if len(made & listed) < len(made) or time.monotonic() > deadline:
                return f"{len(made & listed)} of {count} lives on"
            time.sleep(0.2)

    return run


def _borrowed_name(target: Target) -> str:
    """A second grant under the name of the partner's own."""
    listed = target.stack.aws("key_admin", "kms").list_grants(
        KeyId=target.stack.key, GrantId=target.grant["grant"]["grant_id"]
    )
    return _forged(target, Name=listed["Grants"][0]["Name"])


def _altered(target: Target) -> str:
    """An approved request whose stored context the taken-over function replaces before taking it up."""
    request = target.approved(encryption_context={"dataset": "agreed"})
    client = target.stack.aws("functions.requests", "dynamodb")
    key = {"pk": {"S": f"request#{request['id']}"}, "sk": {"S": "request"}}
    item = client.get_item(TableName=target.stack.tables["requests"], Key=key)["Item"]
    item["scope"]["M"]["encryption_context"] = {"M": {"dataset": {"S": "salaries"}}}
    client.put_item(TableName=target.stack.tables["requests"], Item=item)
    return told(target.stack.call("partner", "POST", f"/requests/{request['id']}/grant"))


def _named_for_ending(target: Target) -> str:
    """A record made to have `expiry` end somebody else's grant: a service's, not the broker's."""
    others = target.stack.aws("root", "kms").create_grant(
        KeyId=target.stack.key, GranteePrincipal=target.stack.grantee("data_reader"), Operations=["Decrypt"],
        Name="backup",
    )["GrantId"]  # fmt: skip
    request = target.stack.granted(encryption_context={"dataset": "decoy"})
    client = target.stack.aws("functions.requests", "dynamodb")
    key = {"pk": {"S": f"request#{request['id']}"}, "sk": {"S": "request"}}
    item = client.get_item(TableName=target.stack.tables["requests"], Key=key)["Item"]
    item |= {"grant_id": {"S": others}, "kms_name": {"S": "backup"}, "due": {"N": "1"}}
    client.put_item(TableName=target.stack.tables["requests"], Item=item)
    _until_tried(target, key)
    return "untouched" if _live(target, others) else "ended"


def _until_tried(target: Target, key: dict[str, Any]) -> None:
    client, deadline = target.stack.aws("functions.expiry", "dynamodb"), time.monotonic() + _DEADLINE
    while True:
        item = client.get_item(TableName=target.stack.tables["requests"], Key=key, ConsistentRead=True)[
            "Item"
        ]
        if int(item.get("attempts", {"N": "0"})["N"]) or item["status"]["S"] in {"expired", "revoked"}:
            return
        assert time.monotonic() < deadline, "expiry never tried"
        time.sleep(0.2)


ATTACKS = [
    Attack("requests grants Decrypt", _DENIED, _create("requests", Operations=["Decrypt"])),
    Attack("requests grants Encrypt and Decrypt", _DENIED,
           _create("requests", Operations=["Encrypt", "Decrypt"])),
    Attack("requests grants Encrypt and CreateGrant", _DENIED,
           _create("requests", Operations=["Encrypt", "CreateGrant"])),
    # KMS itself takes no grant for that alone.
    Attack("requests grants CreateGrant", "ValidationException",
           _create("requests", Operations=["CreateGrant"])),
    Attack("requests grants without a constraint", _DENIED, _create("requests", Constraints=None)),
    Attack("requests grants with itself as retiring principal", _DENIED, _retiring_itself),
    Attack("requests grants without a retiring principal", _DENIED,
           _create("requests", RetiringPrincipal=None)),
    Attack("requests grants to an untrusted account", _DENIED,
           _create("requests", GranteePrincipal="arn:aws:iam::777788889999:role/outsider")),
    Attack("requests grants to a trusted account's root", _DENIED,
           _create("requests", GranteePrincipal=f"arn:aws:iam::{PARTNER}:root")),
    *(
        Attack(f"requests grants to the role of {name}", _DENIED, _to_own(name))
        for name in ("requests", "approvals", "expiry", "reconcile", "events")
    ),
    Attack("requests grants to its own session", _DENIED, _to_own("requests", "any")),
    # Refused as malformed here; where KMS takes it a Deny refuses it (test_fences_on_kms.py).
    Attack("requests grants under an empty constraint", "ValidationException",
           _create("requests", Constraints={"EncryptionContextSubset": {}})),
    Attack("requests encrypts", _DENIED,
           _kms("requests", "encrypt", Plaintext=b"x", EncryptionContext=CONTEXT)),
    Attack("requests rewrites the key policy", _DENIED,
           _kms("requests", "put_key_policy", PolicyName="default", Policy="{}")),
    Attack("requests revokes a grant", _DENIED, _kms("requests", "revoke_grant")),
    Attack("requests retires a grant", _DENIED, _kms("requests", "retire_grant")),
    Attack("requests writes an approval", _DENIED, _write("requests", "approvals")),
    Attack("requests deletes an audit event", _DENIED, _delete("requests")),
    Attack("requests calls the security API", "403 not_permitted",
           _sent("requests", "GET", "/security/requests")),
    Attack("requests grants inside its fence without approval", "ended", _forged),
    Attack("requests grants under a name of no form", "ended",
           lambda target: _forged(target, Name="grant-broker/for-ever")),
    Attack("requests grants without a name", "ended", lambda target: _forged(target, Name=None)),
    Attack("requests grants under the name backup", "ended", lambda target: _forged(target, Name="backup")),
    Attack("requests grants under its neighbour's name", "ended", _borrowed_name),
    Attack("requests grants for longer than the key allows", "ended",
           lambda target: _forged(target, Name=f"grant-broker/{'b' * 32}/9999999999")),
    Attack("requests alters what was approved", "409 conflict", _altered),
    Attack("a forged record names somebody else's grant to be ended", "untouched", _named_for_ending),
    Attack("approvals creates a grant", _DENIED, _create("approvals")),
    Attack("approvals revokes a grant", _DENIED, _kms("approvals", "revoke_grant")),
    Attack("approvals retires a grant", _DENIED, _kms("approvals", "retire_grant")),
    Attack("approvals schedules the key's deletion", _DENIED, _kms("approvals", "schedule_key_deletion")),
    Attack("expiry creates a grant", _DENIED, _create("expiry")),
    Attack("expiry writes an approval", _DENIED, _write("expiry", "approvals")),
    Attack("expiry disables the key", _DENIED, _kms("expiry", "disable_key")),
    Attack("reconcile creates a grant", _DENIED, _create("reconcile")),
    Attack("reconcile retires a grant", _DENIED, _kms("reconcile", "retire_grant")),
    Attack("reconcile revokes a grant", _DENIED, _kms("reconcile", "revoke_grant")),
    Attack("reconcile writes an approval", _DENIED, _write("reconcile", "approvals")),
    Attack("events creates a grant", _DENIED, _create("events")),
    Attack("events lists grants", _DENIED, _kms("events", "list_grants")),
    Attack("events retires a grant", _DENIED, _kms("events", "retire_grant")),
    Attack("events writes a request", _DENIED, _write("events", "requests")),
    Attack("events writes an approval", _DENIED, _write("events", "approvals")),
    Attack("events reads an approval", _DENIED, _read("events", f"approval#{'a' * 32}")),
    Attack("events reads a key's limits", _DENIED,
           lambda target: _read("events", f"key#{target.stack.key}")(target)),
    Attack("events reads what a partner is called", "done", _read("events", f"account#{PARTNER}")),
    Attack("events tells an account that nobody trusts", _DENIED, _tell("777788889999")),
    Attack("events tells a partner whose bus does not let it in", _DENIED, _tell(PARTNER)),
    Attack("requests tells a partner's bus", _DENIED, _tell(PARTNER, "requests")),
    Attack(f"a key administrator of {HOME} uses the key", _DENIED,
           lambda target: tried(target.stack.aws("key_admin", "kms").encrypt, KeyId=target.stack.key,
                               Plaintext=b"x")),
    Attack("a key administrator grants on the founding key", _DENIED,
           lambda target: tried(target.stack.aws("key_admin", "kms").create_grant, **_grant(target))),
    Attack("requests grants to whom no break-glass names", "0 of 1 lives on",
           _as_break_glass(grantee="partner_colleague")),
    Attack("requests grants for longer than break-glass lasts", "0 of 1 lives on",
           _as_break_glass(seconds=3600)),
    Attack("requests grants more than a day's break-glass", "1 of 2 lives on", _as_break_glass(count=2)),
    Attack("requests grants what nobody of the key's approvers approved", "ended", _by_no_approver),
]  # fmt: skip
