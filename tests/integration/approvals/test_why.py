"""`POST /security/requests/{id}/why`: the key's whole policy and its grants count."""

from typing import Any

import pytest

from tests.support.faults import refused
from tests.support.scene import InProcessStack

QUESTION = {"action": "Encrypt", "context": {"tenant": "a"}}
REFUSED = "AccessDeniedException: no"


def explained(scene: InProcessStack, request_id: str, **question: Any) -> tuple[str, str]:
    """Verdict and sentence."""
    answer = scene.call("alice", "POST", f"/security/requests/{request_id}/why", QUESTION | question)
    assert answer.status == 200, answer.body
    return answer.body["verdict"], answer.body["because"]


def deny(scene: InProcessStack, **condition: Any) -> None:
    """Add a Deny for the partner to the key's policy."""
    whom = {"AWS": scene.grantee("partner")}
    more = {"Condition": condition} if condition else {}
    statement = {
        "Sid": "Never",
        "Effect": "Deny",
        "Principal": whom,
        "Action": "kms:*",
        "Resource": "*",
        **more,
    }
    policy = scene.key_policy()
    scene.cloud.put_key_policy(scene.key_arn, {**policy, "Statement": [*policy["Statement"], statement]})


def test_grant(scene: InProcessStack) -> None:
    """What the grant allows is allowed, by whichever session of the grantee's role."""
    request_id = scene.active()
    assert explained(scene, request_id)[0] == "allowed"
    session = scene.credentials("partner").arn
    assert explained(scene, request_id, principal=session)[0] == "allowed"


def test_deny(scene: InProcessStack) -> None:
    """A Deny of the key policy is named, asked or told that KMS refused."""
    request_id = scene.active()
    deny(scene)
    for question in ({}, {"error": REFUSED}):
        verdict, because = explained(scene, request_id, **question)
        assert verdict == "not_by_this_grant"
        assert 'statement "Never" of the key policy denies it' in because


def test_conditional_deny(scene: InProcessStack) -> None:
    """A Deny that rests on what is not known is told as what the call depends on."""
    request_id = scene.active()
    deny(scene, StringNotEquals={"aws:SourceVpce": "vpce-1"})
    verdict, because = explained(scene, request_id)
    assert (verdict, '"Never"' in because) == ("depends", True)
    scene.clock.advance(minutes=6)
    verdict, because = explained(scene, request_id, error=REFUSED)
    assert (verdict, because.endswith("where its conditions hold.")) == ("not_by_this_grant", True)


def test_spreading(scene: InProcessStack) -> None:
    """A young grant that KMS refused by is not spread yet."""
    assert explained(scene, scene.active(), error=REFUSED)[0] == "not_spread_yet"


def test_others(scene: InProcessStack) -> None:
    """What another grant or statement allows is allowed, and what is left to IAM depends on it."""
    request_id = scene.active()
    reader = scene.grantee("data_reader")
    assert explained(scene, request_id, principal=reader)[0] == "another_principal"
    verdict, because = explained(scene, request_id, principal=reader, action="Decrypt")
    assert (verdict, "depends" in because) == ("depends", True)
    assert (
        explained(scene, request_id, principal=reader, action="Decrypt", error=REFUSED)[0]
        == "another_principal"
    )
    scene.kms.create_grant(KeyId=scene.key_arn, GranteePrincipal=reader, Operations=["Decrypt"])
    verdict, because = explained(scene, request_id, principal=reader, action="Decrypt")
    assert (verdict, because.startswith("Not by this grant, but allowed: grant ")) == ("allowed", True)
    role_session = scene.credentials("data_reader").arn
    assert explained(scene, request_id, principal=role_session, action="Decrypt")[0] == "allowed"


def test_key_state(scene: InProcessStack) -> None:
    """A disabled key is the cause of what the grant or another would allow."""
    request_id = scene.active()
    scene.kms.disable_key(KeyId=scene.key_arn)
    assert explained(scene, request_id)[0] == "key_unusable"
    reader = scene.grantee("data_reader")
    assert explained(scene, request_id, principal=reader, action="Decrypt")[0] == "key_unusable"


def test_ended_past_the_broker(scene: InProcessStack) -> None:
    """A grant that somebody revoked by hand is told as ended, once it is old enough to be listed."""
    request_id = scene.active()
    [grant] = scene.grants()
    scene.kms.revoke_grant(KeyId=scene.key_arn, GrantId=grant["GrantId"])
    assert explained(scene, request_id)[0] == "allowed"
    scene.clock.advance(minutes=6)
    verdict, because = explained(scene, request_id)
    assert (verdict, "past the broker" in because) == ("ended", True)
    # Of a call of an hour ago only the record is known.
    assert explained(scene, request_id, at="2030-01-01T12:00:30Z")[0] == "allowed"


def test_a_call_to_come(scene: InProcessStack) -> None:
    """Of a call after its end the grant allows nothing, though KMS lists it until then."""
    request_id = scene.active(duration="PT2H")
    assert explained(scene, request_id, at="2030-01-01T13:59:59Z")[0] == "allowed"
    assert explained(scene, request_id, at="2030-01-01T14:00:00Z")[0] == "ended"


def test_made_again(scene: InProcessStack) -> None:
    """A grantee that was deleted since is another principal, whatever now bears its name."""
    request_id = scene.active()
    scene.clock.advance(minutes=6)
    partner = scene.grantee("partner")
    scene.cloud.delete_role(partner)
    scene.cloud.create_role(partner.rpartition("/")[2], [], "444455556666")
    verdict, because = explained(scene, request_id, principal=partner, error=REFUSED)
    assert (verdict, "was deleted since" in because) == ("another_principal", True)


@pytest.mark.parametrize("operation", ["ListGrants", "DescribeKey", "GetKeyPolicy"])
def test_what_kms_does_not_show(scene: InProcessStack, operation: str) -> None:
    """Without one of its reads the answer rests on the others."""
    request_id = scene.active()
    scene.clock.advance(minutes=6)
    with scene.faults({operation: [refused("AccessDeniedException")] * 8}):
        assert explained(scene, request_id)[0] == "allowed"


def test_other_causes_stay(scene: InProcessStack) -> None:
    """What is not about who may call is explained as it is to the parties."""
    request_id = scene.active()
    deny(scene)
    assert explained(scene, request_id, size=5_000)[0] == "too_large"


def test_condition_on_a_path(scene: InProcessStack) -> None:
    """Whether a session's role has the path that a condition names is not known."""
    request_id = scene.active()
    policy = scene.key_policy()
    pathed = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "kms:Encrypt",
        "Resource": "*",
        "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/apps/*"}},
    }
    scene.cloud.put_key_policy(scene.key_arn, {**policy, "Statement": [*policy["Statement"], pathed]})
    session = "arn:aws:sts::111122223333:assumed-role/loader/nightly"
    assert explained(scene, request_id, principal=session)[0] == "depends"
    assert (
        explained(scene, request_id, principal="arn:aws:iam::111122223333:role/loader")[0]
        == "another_principal"
    )


def test_describe_key(scene: InProcessStack) -> None:
    """DescribeKey is decided without a context."""
    request_id = scene.active(operations=["DescribeKey"])
    assert explained(scene, request_id, action="DescribeKey", context={})[0] == "allowed"
