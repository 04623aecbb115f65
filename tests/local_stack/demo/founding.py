"""The founding scenario, chapter by chapter: each one's docstring is its heading."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.local_stack.demo.actors import CONTEXT, DENIED, Actors
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


def standing_rights(actors: Actors) -> None:
    """Standing rights: the EC2 role reads, administrators manage and cannot use, root keeps full access"""
    cipher = encrypted(actors, "root")
    decrypt(actors, "data_reader", cipher)
    encrypt(actors, "data_reader", expect=DENIED)
    actors.kms("key_admin", "DescribeKey", KeyId=actors.key)
    encrypt(actors, "key_admin", expect=DENIED)
    decrypt(actors, "key_admin", cipher, expect=DENIED)
    actors.kms(
        "key_admin", "CreateGrant", KeyId=actors.key, GranteePrincipal=actors.grantee("key_admin"),
        Operations=["Decrypt"], expect=DENIED,
    )  # fmt: skip


def before_approval(actors: Actors) -> None:
    """Before approval nothing works, and asking is for trusted accounts"""
    encrypt(actors, "partner", expect=DENIED)
    actors.api("outsider", "POST", "/requests", submission(actors, "outsider"), expect="403 not_permitted")
    forged = actors.forged().call("GET", "/requests")
    actors.timeline.call(
        "forged signature", "GET /requests", came=f"{forged.status} {forged.body['code']}",
        expected="403 not_permitted", refusal=True,
    )  # fmt: skip
    path = submitted(actors)
    actors.api("partner", "POST", f"{path}/grant", expect="409 conflict")
    actors.api(
        "partner", "POST", f"/security{path}/decision", {"verdict": "approve"}, expect="403 not_permitted"
    )
    encrypt(actors, "partner", expect=DENIED)
    actors.api(
        "alice",
        "POST",
        f"/security{path}/decision",
        {"verdict": "deny", "comment": "no"},
        expect="200 denied",
    )
    actors.api("partner", "POST", f"{path}/grant", expect="409 conflict")


def own_request(actors: Actors) -> None:
    """Nobody decides on their own request, not even in the security team"""
    policy = actors.stack.deployment.template.properties("PartnerDataKey")["KeyPolicy"]
    made = actors.kms(
        "key_admin", "CreateKey", Policy=text_of(policy), Description="the home account's own data"
    )
    key_id = made["KeyMetadata"]["KeyId"]
    document = {"name": "home_data", "accounts": [HOME]}
    actors.api("alice", "PUT", f"/security/keys/{key_id}", document, expect="201")
    asked = submission(actors, "data_reader", key="home_data")
    path = f"/requests/{actors.api('alice', 'POST', '/requests', asked, expect='201 pending').body['id']}"
    decision = f"/security{path}/decision"
    actors.api("alice", "POST", decision, {"verdict": "approve"}, expect="403 not_permitted")
    actors.api("bob", "POST", decision, {"verdict": "approve"}, expect="200 approved")


def after_approval(actors: Actors) -> None:
    """After approval: Encrypt with the agreed context by the agreed principal, and nothing else"""
    path = submitted(actors)
    actors.api("alice", "POST", f"/security{path}/decision", {"verdict": "approve"}, expect="200 approved")
    encrypt(actors, "partner", expect=DENIED)
    actors.api("partner_colleague", "POST", f"{path}/grant", expect="403 not_permitted")
    actors.api("partner", "POST", f"{path}/grant", expect="201 active")
    cipher = encrypted(actors, "partner")
    encrypt(actors, "partner", _OTHER, expect=DENIED)
    encrypt(actors, "partner", {}, expect=DENIED)
    decrypt(actors, "partner", cipher, expect=DENIED)
    encrypt(actors, "partner_colleague", expect=DENIED)
    encrypt(actors, "other_partner", expect=DENIED)
    actors.api("other_partner", "GET", path, expect="404 not_found")
    decrypt(actors, "data_reader", cipher)
    actors.api("partner", "DELETE", f"{path}/grant", expect="202 ending")
    over(actors, path, "released")


def revocation(actors: Actors) -> None:
    """The security team takes a grant back"""
    path = granted(actors, "PT1H")
    encrypt(actors, "partner")
    actors.api(
        "bob", "DELETE", f"/security{path}/grant", {"reason": "key found on a pastebin"}, expect="202 ending"
    )
    over(actors, path, "revoked")


def expiry(actors: Actors) -> None:
    """A grant of three seconds ends by itself"""
    path = granted(actors, "PT3S")
    encrypt(actors, "partner")
    expires = datetime.fromisoformat(request(actors, path)["expires_at"]).timestamp()
    actors.until(
        lambda: actors.tried("partner", "kms", "Encrypt", **encryption(actors))[0] != "allowed", "expiry"
    )
    seen = time.time() - expires
    encrypt(actors, "partner", expect=DENIED)
    over(actors, path, "expired")
    ended = datetime.fromisoformat(request(actors, path)["ended_at"]).timestamp() - expires
    actors.timeline.note(
        f"measured lateness: refused {seen:.2f} s, recorded as ended {ended:.2f} s after expires_at"
    )
    if not 0 <= ended <= 1:
        raise Surprise(f"the grant ended {ended:.2f} s after its expiry, not within a second")


def both_must_grant(actors: Actors) -> None:
    """The EC2 role needs its IAM policy and the key policy: either one away, and it is refused"""
    cipher = encrypted(actors, "root")
    listed = _of_reader(actors, "ListAttachedRolePolicies")["AttachedPolicies"]
    attached = listed[0]["PolicyArn"]
    _of_reader(actors, "DetachRolePolicy", PolicyArn=attached)
    decrypt(actors, "data_reader", cipher, expect=DENIED)
    _of_reader(actors, "AttachRolePolicy", PolicyArn=attached)
    decrypt(actors, "data_reader", cipher)
    policy = actors.stack.deployment.template.properties("PartnerDataKey")["KeyPolicy"]
    without = [statement for statement in policy["Statement"] if statement["Sid"] != "DataReader"]
    actors.timeline.note("the key policy without its statement DataReader:")
    actors.kms("key_admin", "PutKeyPolicy", KeyId=actors.key, Policy=text_of(policy | {"Statement": without}))
    decrypt(actors, "data_reader", cipher, expect=DENIED)
    actors.kms("key_admin", "PutKeyPolicy", KeyId=actors.key, Policy=text_of(policy))
    decrypt(actors, "data_reader", cipher)


def _of_reader(actors: Actors, operation: str, **parameters: Any) -> dict[str, Any]:
    """A call about the data reader's role, told without the name that CloudFormation made up for it."""
    role = actors.grantee("data_reader").rpartition("/")[2]
    told = f"iam:{operation} data_reader"
    return actors.aws("root", "iam", operation, told=told, RoleName=role, **parameters)


def default_policy(actors: Actors) -> None:
    """Beside it, a key with the unchanged default policy: IAM alone opens what the policy above refuses"""
    made = actors.kms("key_admin", "CreateKey", Description="default key policy")
    key = made["KeyMetadata"]["Arn"]
    actors.kms("key_admin", "GetKeyPolicy", KeyId=key)
    cipher = actors.kms("key_admin", "Encrypt", KeyId=key, Plaintext=DATA, EncryptionContext=CONTEXT)
    blob = cipher["CiphertextBlob"]
    decrypt(actors, "data_reader", blob, key=key, expect=DENIED)
    allow = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}
    document = text_of({"Version": "2012-10-17", "Statement": [allow]})
    _of_reader(actors, "PutRolePolicy", PolicyName="iam-alone", PolicyDocument=document)
    decrypt(actors, "data_reader", blob, key=key)
    _of_reader(actors, "DeleteRolePolicy", PolicyName="iam-alone")
    decrypt(actors, "data_reader", blob, key=key, expect=DENIED)


def taken_over(actors: Actors) -> None:
    """The issuing function taken over: its fences hold for whoever has its credentials"""
    fine: dict[str, Any] = {
        "KeyId": actors.key,
        "GranteePrincipal": actors.grantee("partner"),
        "RetiringPrincipal": actors.role("expiry"),
        "Operations": ["Encrypt"],
        "Constraints": {"EncryptionContextEquals": CONTEXT},
        "DryRun": True,
    }
    _create_grant(actors, "role:requests", "as agreed (dry run)", fine, expect="DryRunOperationException")
    outsider = f"arn:aws:iam::{OUTSIDER}:role/outsider"
    for change, changed in (
        ("for Decrypt", fine | {"Operations": ["Decrypt"]}),
        ("for CreateGrant too", fine | {"Operations": ["Encrypt", "CreateGrant"]}),
        ("without a constraint", _without(fine, "Constraints")),
        ("with another retiring principal", fine | {"RetiringPrincipal": actors.grantee("partner")}),
        ("without a retiring principal", _without(fine, "RetiringPrincipal")),
        ("for an account that is not trusted", fine | {"GranteePrincipal": outsider}),
    ):
        _create_grant(actors, "role:requests", f"but {change}", changed, expect=DENIED)
    encrypt(actors, "role:requests", expect=DENIED)
    _create_grant(actors, "role:approvals", "as agreed", fine, expect=DENIED)
    _create_grant(actors, "role:expiry", "as agreed", fine, expect=DENIED)


def _create_grant(actors: Actors, who: str, told: str, parameters: dict[str, Any], *, expect: str) -> None:
    actors.aws(who, "kms", "CreateGrant", told=f"kms:CreateGrant {told}", expect=expect, **parameters)


def _without(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key != name}


CHAPTERS: tuple[Callable[[Actors], None], ...] = (
    standing_rights, before_approval, own_request, after_approval, revocation, expiry, both_must_grant,
    default_policy, taken_over,
)  # fmt: skip
