"""The founding scenario with its refusals, for real: signed HTTP, on a stack built from the template."""

import json
import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.local_stack.people import HOME, OUTSIDER
from tests.local_stack.scene import CONTEXT, DENIED, Scene
from tests.local_stack.stack import Options, Stack
from tests.local_stack.timeline import Surprise, Timeline

_OTHER = {"dataset": "salaries"}
_DATA = b"order 4711"


def run() -> int:
    """Run all chapters; 0 only if nothing came out otherwise than expected."""
    timeline, logs = Timeline(), deque[str](maxlen=100)
    timeline.note("starting AWS, the API and the functions on 127.0.0.1")
    stack = Stack.start(Options(log=logs.append))
    try:
        scene = Scene(stack, timeline)
        for chapter in _CHAPTERS:
            timeline.chapter((chapter.__doc__ or "").strip())
            chapter(scene)
    except Surprise as surprise:
        told = [line for line in logs if '"level":"INFO"' not in line and not line.startswith('{"_aws"')]
        print(f"\n{surprise}\n\nWhat the functions complained of:", *told, sep="\n", file=sys.stderr)
        return 1
    finally:
        stack.close()
    took = time.monotonic() - timeline.started
    print(f"\n{timeline.calls} calls, {timeline.refused} of them refused, all as expected, in {took:.1f} s.")
    return 0


def standing_rights(scene: Scene) -> None:
    """Standing rights: the EC2 role reads, administrators manage and cannot use, root keeps full access"""
    cipher = _encrypted(scene, "root")
    _decrypt(scene, "data_reader", cipher)
    _encrypt(scene, "data_reader", expect=DENIED)
    scene.kms("key_admin", "DescribeKey", KeyId=scene.key)
    _encrypt(scene, "key_admin", expect=DENIED)
    _decrypt(scene, "key_admin", cipher, expect=DENIED)
    scene.kms(
        "key_admin", "CreateGrant", KeyId=scene.key, GranteePrincipal=scene.grantee("key_admin"),
        Operations=["Decrypt"], expect=DENIED,
    )  # fmt: skip


def before_approval(scene: Scene) -> None:
    """Before approval nothing works, and asking is for trusted accounts"""
    _encrypt(scene, "partner", expect=DENIED)
    scene.api("outsider", "POST", "/requests", _asked(scene, "outsider"), expect="403 not_permitted")
    forged = scene.forged().call("GET", "/requests")
    scene.timeline.call(
        "forged signature", "GET /requests", came=f"{forged.status} {forged.body['code']}",
        expected="403 not_permitted", refusal=True,
    )  # fmt: skip
    path = _submitted(scene)
    scene.api("partner", "POST", f"{path}/grant", expect="409 conflict")
    scene.api(
        "partner", "POST", f"/security{path}/decision", {"verdict": "approve"}, expect="403 not_permitted"
    )
    _encrypt(scene, "partner", expect=DENIED)
    scene.api(
        "alice",
        "POST",
        f"/security{path}/decision",
        {"verdict": "deny", "comment": "no"},
        expect="200 denied",
    )
    scene.api("partner", "POST", f"{path}/grant", expect="409 conflict")


def own_request(scene: Scene) -> None:
    """Nobody decides on their own request, not even in the security team"""
    policy = scene.stack.deployment.template.properties("PartnerDataKey")["KeyPolicy"]
    made = scene.kms(
        "key_admin", "CreateKey", Policy=_json(policy), Description="the home account's own data"
    )
    key_id = made["KeyMetadata"]["KeyId"]
    document = {"name": "home_data", "accounts": [HOME]}
    scene.api("alice", "PUT", f"/security/keys/{key_id}", document, expect="201")
    asked = _asked(scene, "data_reader", key="home_data")
    path = f"/requests/{scene.api('alice', 'POST', '/requests', asked, expect='201 pending').body['id']}"
    decision = f"/security{path}/decision"
    scene.api("alice", "POST", decision, {"verdict": "approve"}, expect="403 not_permitted")
    scene.api("bob", "POST", decision, {"verdict": "approve"}, expect="200 approved")


def after_approval(scene: Scene) -> None:
    """After approval: Encrypt with the agreed context by the agreed principal, and nothing else"""
    path = _submitted(scene)
    scene.api("alice", "POST", f"/security{path}/decision", {"verdict": "approve"}, expect="200 approved")
    _encrypt(scene, "partner", expect=DENIED)
    scene.api("partner_colleague", "POST", f"{path}/grant", expect="403 not_permitted")
    scene.api("partner", "POST", f"{path}/grant", expect="201 active")
    cipher = _encrypted(scene, "partner")
    _encrypt(scene, "partner", _OTHER, expect=DENIED)
    _encrypt(scene, "partner", {}, expect=DENIED)
    _decrypt(scene, "partner", cipher, expect=DENIED)
    _encrypt(scene, "partner_colleague", expect=DENIED)
    _encrypt(scene, "other_partner", expect=DENIED)
    scene.api("other_partner", "GET", path, expect="404 not_found")
    _decrypt(scene, "data_reader", cipher)
    scene.api("partner", "DELETE", f"{path}/grant", expect="202 ending")
    _over(scene, path, "released")


def revocation(scene: Scene) -> None:
    """The security team takes a grant back"""
    path = _granted(scene, "PT1H")
    _encrypt(scene, "partner")
    scene.api(
        "bob", "DELETE", f"/security{path}/grant", {"reason": "key found on a pastebin"}, expect="202 ending"
    )
    _over(scene, path, "revoked")


def expiry(scene: Scene) -> None:
    """A grant of three seconds ends by itself"""
    path = _granted(scene, "PT3S")
    _encrypt(scene, "partner")
    expires = datetime.fromisoformat(_request(scene, path)["expires_at"]).timestamp()
    scene.until(
        lambda: scene.tried("partner", "kms", "Encrypt", **_encryption(scene))[0] != "allowed", "expiry"
    )
    seen = time.time() - expires
    _encrypt(scene, "partner", expect=DENIED)
    _over(scene, path, "expired")
    ended = datetime.fromisoformat(_request(scene, path)["ended_at"]).timestamp() - expires
    scene.timeline.note(
        f"measured lateness: refused {seen:.2f} s, recorded as ended {ended:.2f} s after expires_at"
    )
    if not 0 <= ended <= 1:
        raise Surprise(f"the grant ended {ended:.2f} s after its expiry, not within a second")


def both_must_grant(scene: Scene) -> None:
    """The EC2 role needs its IAM policy and the key policy: either one away, and it is refused"""
    cipher, role = _encrypted(scene, "root"), scene.grantee("data_reader").rpartition("/")[2]
    listed = scene.aws("root", "iam", "ListAttachedRolePolicies", RoleName=role)["AttachedPolicies"]
    iam = {"RoleName": role, "PolicyArn": listed[0]["PolicyArn"]}
    scene.aws("root", "iam", "DetachRolePolicy", **iam)
    _decrypt(scene, "data_reader", cipher, expect=DENIED)
    scene.aws("root", "iam", "AttachRolePolicy", **iam)
    _decrypt(scene, "data_reader", cipher)
    policy = scene.stack.deployment.template.properties("PartnerDataKey")["KeyPolicy"]
    without = [statement for statement in policy["Statement"] if statement["Sid"] != "DataReader"]
    scene.timeline.note("the key policy without its statement DataReader:")
    scene.kms("key_admin", "PutKeyPolicy", KeyId=scene.key, Policy=_json(policy | {"Statement": without}))
    _decrypt(scene, "data_reader", cipher, expect=DENIED)
    scene.kms("key_admin", "PutKeyPolicy", KeyId=scene.key, Policy=_json(policy))
    _decrypt(scene, "data_reader", cipher)


def default_policy(scene: Scene) -> None:
    """Beside it, a key with the unchanged default policy: IAM alone opens what the policy above refuses"""
    made = scene.kms("key_admin", "CreateKey", Description="default key policy")
    key = made["KeyMetadata"]["Arn"]
    scene.kms("key_admin", "GetKeyPolicy", KeyId=key)
    cipher = scene.kms("key_admin", "Encrypt", KeyId=key, Plaintext=_DATA, EncryptionContext=CONTEXT)
    blob, role = cipher["CiphertextBlob"], scene.grantee("data_reader").rpartition("/")[2]
    _decrypt(scene, "data_reader", blob, key=key, expect=DENIED)
    allow = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}
    document = _json({"Version": "2012-10-17", "Statement": [allow]})
    scene.aws("root", "iam", "PutRolePolicy", RoleName=role, PolicyName="iam-alone", PolicyDocument=document)
    _decrypt(scene, "data_reader", blob, key=key)
    scene.aws("root", "iam", "DeleteRolePolicy", RoleName=role, PolicyName="iam-alone")
    _decrypt(scene, "data_reader", blob, key=key, expect=DENIED)


def taken_over(scene: Scene) -> None:
    """The issuing function taken over: its fences hold for whoever has its credentials"""
    fine: dict[str, Any] = {
        "KeyId": scene.key,
        "GranteePrincipal": scene.grantee("partner"),
        "RetiringPrincipal": scene.role("expiry"),
        "Operations": ["Encrypt"],
        "Constraints": {"EncryptionContextEquals": CONTEXT},
        "DryRun": True,
    }
    _create_grant(scene, "role:requests", "as agreed (dry run)", fine, expect="DryRunOperationException")
    outsider = f"arn:aws:iam::{OUTSIDER}:role/outsider"
    for change, changed in (
        ("for Decrypt", fine | {"Operations": ["Decrypt"]}),
        ("for CreateGrant too", fine | {"Operations": ["Encrypt", "CreateGrant"]}),
        ("without a constraint", _without(fine, "Constraints")),
        ("with another retiring principal", fine | {"RetiringPrincipal": scene.grantee("partner")}),
        ("without a retiring principal", _without(fine, "RetiringPrincipal")),
        ("for an account that is not trusted", fine | {"GranteePrincipal": outsider}),
    ):
        _create_grant(scene, "role:requests", f"but {change}", changed, expect=DENIED)
    _encrypt(scene, "role:requests", expect=DENIED)
    _create_grant(scene, "role:approvals", "as agreed", fine, expect=DENIED)
    _create_grant(scene, "role:expiry", "as agreed", fine, expect=DENIED)


def _create_grant(scene: Scene, who: str, told: str, parameters: dict[str, Any], *, expect: str) -> None:
    scene.aws(who, "kms", "CreateGrant", told=f"kms:CreateGrant {told}", expect=expect, **parameters)


def _without(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key != name}


_CHAPTERS: tuple[Callable[[Scene], None], ...] = (
    standing_rights, before_approval, own_request, after_approval, revocation, expiry, both_must_grant,
    default_policy, taken_over,
)  # fmt: skip


def _json(document: Any) -> str:
    return json.dumps(document)


def _asked(scene: Scene, grantee: str, **changes: str) -> dict[str, Any]:
    return {
        "key": "partner_data",
        "grantee": scene.grantee(grantee),
        "operations": ["Encrypt"],
        "encryption_context": CONTEXT,
        "duration": "PT2H",
        "reason": "upload of today's orders",
        **changes,
    }


def _submitted(scene: Scene, duration: str = "PT2H") -> str:
    asked = _asked(scene, "partner", duration=duration)
    return f"/requests/{scene.api('partner', 'POST', '/requests', asked, expect='201 pending').body['id']}"


def _granted(scene: Scene, duration: str) -> str:
    path = _submitted(scene, duration)
    scene.api("alice", "POST", f"/security{path}/decision", {"verdict": "approve"}, expect="200 approved")
    scene.api("partner", "POST", f"{path}/grant", expect="201 active")
    return path


def _request(scene: Scene, path: str) -> dict[str, Any]:
    return dict(scene.stack.client("partner").call("GET", path).body)


def _over(scene: Scene, path: str, status: str) -> None:
    """The grant is gone, and the partner refused."""
    took = scene.until(lambda: _request(scene, path)["status"] == status, f"{path} {status}")
    scene.timeline.note(f"ended {took:.2f} s later")
    scene.api("partner", "GET", path, expect=f"200 {status}")
    _encrypt(scene, "partner", expect=DENIED)


def _encryption(scene: Scene, context: dict[str, str] | None = None) -> dict[str, Any]:
    pairs = CONTEXT if context is None else context
    return {"KeyId": scene.key, "Plaintext": _DATA, "EncryptionContext": pairs}


def _encrypt(
    scene: Scene, who: str, context: dict[str, str] | None = None, expect: str = "allowed"
) -> dict[str, Any]:
    return scene.kms(who, "Encrypt", expect=expect, **_encryption(scene, context))


def _encrypted(scene: Scene, who: str) -> bytes:
    return bytes(_encrypt(scene, who)["CiphertextBlob"])


def _decrypt(scene: Scene, who: str, blob: bytes, *, key: str | None = None, expect: str = "allowed") -> None:
    answer = scene.kms(
        who, "Decrypt", KeyId=key or scene.key, CiphertextBlob=blob, EncryptionContext=CONTEXT, expect=expect
    )
    if answer and answer["Plaintext"] != _DATA:
        raise Surprise(f"{who} decrypted something else than was encrypted")
