"""The founding scenario, chapter by chapter: each one's docstring is its heading."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.local_stack.demo.actors import CONTEXT, DENIED, Scene
from tests.local_stack.demo.steps import (
    DATA,
    decrypt,
    encrypt,
    encrypted,
    encryption,
    granted,
    over,
    request,
    submission,
    submitted,
    text_of,
)
from tests.local_stack.demo.timeline import Surprise
from tests.local_stack.people import HOME, OUTSIDER

_OTHER = {"dataset": "salaries"}


def standing_rights(scene: Scene) -> None:
    """Standing rights: the EC2 role reads, administrators manage and cannot use, root keeps full access"""
    cipher = encrypted(scene, "root")
    decrypt(scene, "data_reader", cipher)
    encrypt(scene, "data_reader", expect=DENIED)
    scene.kms("key_admin", "DescribeKey", KeyId=scene.key)
    encrypt(scene, "key_admin", expect=DENIED)
    decrypt(scene, "key_admin", cipher, expect=DENIED)
    scene.kms(
        "key_admin", "CreateGrant", KeyId=scene.key, GranteePrincipal=scene.grantee("key_admin"),
        Operations=["Decrypt"], expect=DENIED,
    )  # fmt: skip


def before_approval(scene: Scene) -> None:
    """Before approval nothing works, and asking is for trusted accounts"""
    encrypt(scene, "partner", expect=DENIED)
    scene.api("outsider", "POST", "/requests", submission(scene, "outsider"), expect="403 not_permitted")
    forged = scene.forged().call("GET", "/requests")
    scene.timeline.call(
        "forged signature", "GET /requests", came=f"{forged.status} {forged.body['code']}",
        expected="403 not_permitted", refusal=True,
    )  # fmt: skip
    path = submitted(scene)
    scene.api("partner", "POST", f"{path}/grant", expect="409 conflict")
    scene.api(
        "partner", "POST", f"/security{path}/decision", {"verdict": "approve"}, expect="403 not_permitted"
    )
    encrypt(scene, "partner", expect=DENIED)
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
        "key_admin", "CreateKey", Policy=text_of(policy), Description="the home account's own data"
    )
    key_id = made["KeyMetadata"]["KeyId"]
    document = {"name": "home_data", "accounts": [HOME]}
    scene.api("alice", "PUT", f"/security/keys/{key_id}", document, expect="201")
    asked = submission(scene, "data_reader", key="home_data")
    path = f"/requests/{scene.api('alice', 'POST', '/requests', asked, expect='201 pending').body['id']}"
    decision = f"/security{path}/decision"
    scene.api("alice", "POST", decision, {"verdict": "approve"}, expect="403 not_permitted")
    scene.api("bob", "POST", decision, {"verdict": "approve"}, expect="200 approved")


def after_approval(scene: Scene) -> None:
    """After approval: Encrypt with the agreed context by the agreed principal, and nothing else"""
    path = submitted(scene)
    scene.api("alice", "POST", f"/security{path}/decision", {"verdict": "approve"}, expect="200 approved")
    encrypt(scene, "partner", expect=DENIED)
    scene.api("partner_colleague", "POST", f"{path}/grant", expect="403 not_permitted")
    scene.api("partner", "POST", f"{path}/grant", expect="201 active")
    cipher = encrypted(scene, "partner")
    encrypt(scene, "partner", _OTHER, expect=DENIED)
    encrypt(scene, "partner", {}, expect=DENIED)
    decrypt(scene, "partner", cipher, expect=DENIED)
    encrypt(scene, "partner_colleague", expect=DENIED)
    encrypt(scene, "other_partner", expect=DENIED)
    scene.api("other_partner", "GET", path, expect="404 not_found")
    decrypt(scene, "data_reader", cipher)
    scene.api("partner", "DELETE", f"{path}/grant", expect="202 ending")
    over(scene, path, "released")


def revocation(scene: Scene) -> None:
    """The security team takes a grant back"""
    path = granted(scene, "PT1H")
    encrypt(scene, "partner")
    scene.api(
        "bob", "DELETE", f"/security{path}/grant", {"reason": "key found on a pastebin"}, expect="202 ending"
    )
    over(scene, path, "revoked")


def expiry(scene: Scene) -> None:
    """A grant of three seconds ends by itself"""
    path = granted(scene, "PT3S")
    encrypt(scene, "partner")
    expires = datetime.fromisoformat(request(scene, path)["expires_at"]).timestamp()
    scene.until(
        lambda: scene.tried("partner", "kms", "Encrypt", **encryption(scene))[0] != "allowed", "expiry"
    )
    seen = time.time() - expires
    encrypt(scene, "partner", expect=DENIED)
    over(scene, path, "expired")
    ended = datetime.fromisoformat(request(scene, path)["ended_at"]).timestamp() - expires
    scene.timeline.note(
        f"measured lateness: refused {seen:.2f} s, recorded as ended {ended:.2f} s after expires_at"
    )
    if not 0 <= ended <= 1:
        raise Surprise(f"the grant ended {ended:.2f} s after its expiry, not within a second")


def both_must_grant(scene: Scene) -> None:
    """The EC2 role needs its IAM policy and the key policy: either one away, and it is refused"""
    cipher, role = encrypted(scene, "root"), scene.grantee("data_reader").rpartition("/")[2]
    listed = scene.aws("root", "iam", "ListAttachedRolePolicies", RoleName=role)["AttachedPolicies"]
    iam = {"RoleName": role, "PolicyArn": listed[0]["PolicyArn"]}
    scene.aws("root", "iam", "DetachRolePolicy", **iam)
    decrypt(scene, "data_reader", cipher, expect=DENIED)
    scene.aws("root", "iam", "AttachRolePolicy", **iam)
    decrypt(scene, "data_reader", cipher)
    policy = scene.stack.deployment.template.properties("PartnerDataKey")["KeyPolicy"]
    without = [statement for statement in policy["Statement"] if statement["Sid"] != "DataReader"]
    scene.timeline.note("the key policy without its statement DataReader:")
    scene.kms("key_admin", "PutKeyPolicy", KeyId=scene.key, Policy=text_of(policy | {"Statement": without}))
    decrypt(scene, "data_reader", cipher, expect=DENIED)
    scene.kms("key_admin", "PutKeyPolicy", KeyId=scene.key, Policy=text_of(policy))
    decrypt(scene, "data_reader", cipher)


def default_policy(scene: Scene) -> None:
    """Beside it, a key with the unchanged default policy: IAM alone opens what the policy above refuses"""
    made = scene.kms("key_admin", "CreateKey", Description="default key policy")
    key = made["KeyMetadata"]["Arn"]
    scene.kms("key_admin", "GetKeyPolicy", KeyId=key)
    cipher = scene.kms("key_admin", "Encrypt", KeyId=key, Plaintext=DATA, EncryptionContext=CONTEXT)
    blob, role = cipher["CiphertextBlob"], scene.grantee("data_reader").rpartition("/")[2]
    decrypt(scene, "data_reader", blob, key=key, expect=DENIED)
    allow = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}
    document = text_of({"Version": "2012-10-17", "Statement": [allow]})
    scene.aws("root", "iam", "PutRolePolicy", RoleName=role, PolicyName="iam-alone", PolicyDocument=document)
    decrypt(scene, "data_reader", blob, key=key)
    scene.aws("root", "iam", "DeleteRolePolicy", RoleName=role, PolicyName="iam-alone")
    decrypt(scene, "data_reader", blob, key=key, expect=DENIED)


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
    encrypt(scene, "role:requests", expect=DENIED)
    _create_grant(scene, "role:approvals", "as agreed", fine, expect=DENIED)
    _create_grant(scene, "role:expiry", "as agreed", fine, expect=DENIED)


def _create_grant(scene: Scene, who: str, told: str, parameters: dict[str, Any], *, expect: str) -> None:
    scene.aws(who, "kms", "CreateGrant", told=f"kms:CreateGrant {told}", expect=expect, **parameters)


def _without(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key != name}


CHAPTERS: tuple[Callable[[Scene], None], ...] = (
    standing_rights, before_approval, own_request, after_approval, revocation, expiry, both_must_grant,
    default_policy, taken_over,
)  # fmt: skip
