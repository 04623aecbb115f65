"""A function is taken over: its role's credentials against KMS and the tables."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.end_to_end.attacks.scene import CONTEXT, HOME, PARTNER, Attack, Run, Scene, told, tried

_DENIED = "AccessDeniedException"
_DEADLINE = 60  # seconds for what a reconcile interval, shortened here, must find


def _grant(scene: Scene, **changes: Any) -> dict[str, Any]:
    """The parameters of a CreateGrant inside the fence."""
    end = int((datetime.now(UTC) + timedelta(hours=1)).timestamp())
    inside = {
        "KeyId": scene.stack.key, "GranteePrincipal": scene.stack.grantee("partner"),
        "RetiringPrincipal": scene.role("expiry"), "Operations": ["Encrypt"],
        "Constraints": {"EncryptionContextEquals": {"forged": "1"}}, "Name": f"grant-broker/{'a' * 32}/{end}",
    }  # fmt: skip
    return {name: value for name, value in (inside | changes).items() if value is not None}


def _create(function: str, **changes: Any) -> Run:
    def run(scene: Scene) -> str:
        kms = scene.stack.aws(f"functions.{function}", "kms")
        return tried(kms.create_grant, **_grant(scene, **changes))

    return run


def _retiring_itself(scene: Scene) -> str:
    return _create("requests", RetiringPrincipal=scene.role("requests"))(scene)


def _kms(function: str, operation: str, **parameters: Any) -> Run:
    def run(scene: Scene) -> str:
        kms, names = scene.stack.aws(f"functions.{function}", "kms"), {"KeyId": scene.stack.key}
        if operation in {"retire_grant", "revoke_grant"}:
            names["GrantId"] = scene.grant["grant"]["grant_id"]
        return tried(getattr(kms, operation), **names, **parameters)

    return run


def _write(function: str, table: str) -> Run:
    def run(scene: Scene) -> str:
        client = scene.stack.aws(f"functions.{function}", "dynamodb")
        forged = {"pk": {"S": f"request#{'f' * 32}"}, "sk": {"S": "approval"}}
        return tried(client.put_item, TableName=f"grant-broker-{table}", Item=forged)

    return run


def _delete(function: str) -> Run:
    def run(scene: Scene) -> str:
        client = scene.stack.aws(f"functions.{function}", "dynamodb")
        key = {"pk": {"S": f"request#{scene.grant['id']}"}, "sk": {"S": "event#000001"}}
        return tried(client.delete_item, TableName="grant-broker-requests", Key=key)

    return run


def _sent(function: str, method: str, path: str) -> Run:
    return lambda scene: told(scene.stack.call(f"functions.{function}", method, path))


def _live(scene: Scene, grant_id: str) -> bool:
    listed = scene.stack.aws("key_admin", "kms").list_grants(KeyId=scene.stack.key, GrantId=grant_id)
    return bool(listed["Grants"])


def _forged(scene: Scene, **changes: Any) -> str:
    """A grant that the taken-over function made inside its fence, and what became of it."""
    kms = scene.stack.aws("functions.requests", "kms")
    made = kms.create_grant(**_grant(scene, **changes))["GrantId"]
    deadline = time.monotonic() + _DEADLINE
    while _live(scene, made):
        if time.monotonic() > deadline:
            return "lives on"
        time.sleep(0.2)
    return "ended"


def _altered(scene: Scene) -> str:
    """An approved request whose stored context the taken-over function replaces before taking it up."""
    request = scene.approved(encryption_context={"dataset": "agreed"})
    client = scene.stack.aws("functions.requests", "dynamodb")
    key = {"pk": {"S": f"request#{request['id']}"}, "sk": {"S": "request"}}
    item = client.get_item(TableName="grant-broker-requests", Key=key)["Item"]
    item["scope"]["M"]["encryption_context"] = {"M": {"dataset": {"S": "salaries"}}}
    client.put_item(TableName="grant-broker-requests", Item=item)
    return told(scene.stack.call("partner", "POST", f"/requests/{request['id']}/grant"))


def _named_for_ending(scene: Scene) -> str:
    """A record made to have `expiry` end somebody else's grant: a service's, not the broker's."""
    others = scene.stack.aws("root", "kms").create_grant(
        KeyId=scene.stack.key, GranteePrincipal=scene.stack.grantee("data_reader"), Operations=["Decrypt"],
        Name="backup",
    )["GrantId"]  # fmt: skip
    request = scene.stack.granted(encryption_context={"dataset": "decoy"})
    client = scene.stack.aws("functions.requests", "dynamodb")
    key = {"pk": {"S": f"request#{request['id']}"}, "sk": {"S": "request"}}
    item = client.get_item(TableName="grant-broker-requests", Key=key)["Item"]
    item |= {"grant_id": {"S": others}, "kms_name": {"S": "backup"}, "due": {"N": "1"}}
    client.put_item(TableName="grant-broker-requests", Item=item)
    _until_tried(scene, key)
    return "untouched" if _live(scene, others) else "ended"


def _until_tried(scene: Scene, key: dict[str, Any]) -> None:
    client, deadline = scene.stack.aws("functions.expiry", "dynamodb"), time.monotonic() + _DEADLINE
    while True:
        item = client.get_item(TableName="grant-broker-requests", Key=key, ConsistentRead=True)["Item"]
        if int(item.get("attempts", {"N": "0"})["N"]) or item["status"]["S"] in {"expired", "revoked"}:
            return
        assert time.monotonic() < deadline, "expiry never tried"
        time.sleep(0.2)


ATTACKS = [
    Attack("requests grants Decrypt", _DENIED, _create("requests", Operations=["Decrypt"])),
    Attack("requests grants Encrypt and Decrypt", _DENIED,
           _create("requests", Operations=["Encrypt", "Decrypt"])),
    Attack("requests grants CreateGrant", _DENIED, _create("requests", Operations=["CreateGrant"])),
    Attack("requests grants without a constraint", _DENIED, _create("requests", Constraints=None)),
    Attack("requests grants with itself as retiring principal", _DENIED, _retiring_itself),
    Attack("requests grants without a retiring principal", _DENIED,
           _create("requests", RetiringPrincipal=None)),
    Attack("requests grants to an untrusted account", _DENIED,
           _create("requests", GranteePrincipal="arn:aws:iam::777788889999:role/outsider")),
    Attack("requests grants to a trusted account's root", _DENIED,
           _create("requests", GranteePrincipal=f"arn:aws:iam::{PARTNER}:root")),
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
           lambda scene: _forged(scene, Name="grant-broker/for-ever")),
    Attack("requests grants for longer than the key allows", "ended",
           lambda scene: _forged(scene, Name=f"grant-broker/{'b' * 32}/9999999999")),
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
    Attack(f"a key administrator of {HOME} uses the key", _DENIED,
           lambda scene: tried(scene.stack.aws("key_admin", "kms").encrypt, KeyId=scene.stack.key,
                               Plaintext=b"x")),
    Attack("a key administrator grants on the founding key", _DENIED,
           lambda scene: tried(scene.stack.aws("key_admin", "kms").create_grant, **_grant(scene))),
]  # fmt: skip
