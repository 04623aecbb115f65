"""Key policies: what is stored, who may put it, and the second one that others put."""

import json
from typing import Any

import pytest

from tests.integration.local_aws.world import (
    DENIED,
    HOME,
    PARTNER,
    World,
    code,
    naming,
    policy,
    refusal,
    root,
    statement,
)

MALFORMED = "MalformedPolicyDocumentException"


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "{}",
        json.dumps(policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})),
        json.dumps(policy({"Effect": "Allow", "Action": "kms:*", "Principal": "*"})),
        json.dumps(policy(naming(root(), "kms:*"), {"Effect": "Allow", "Action": "kms:*"})),
        json.dumps(policy(naming(root(), "kms:*"), naming(f"arn:aws:iam::{HOME}:role/nobody", "kms:*"))),
        json.dumps(policy(naming(root(), "kms:*"), naming(f"arn:aws:iam::{PARTNER}:role/part*", "kms:*"))),
        json.dumps(policy(naming(root(PARTNER), "kms:*"))),
        json.dumps(policy(naming(root(), "kms:Describe*"))),
    ],
)
def test_put_policy_refused(world: World, text: str) -> None:
    """No JSON, no policy, an unknown principal, or one that would lock its caller out: not stored."""
    before = world.as_root().get_key_policy(KeyId=world.key)
    assert code(world.as_root().put_key_policy, KeyId=world.key, Policy=text) == MALFORMED
    assert world.as_root().get_key_policy(KeyId=world.key)["Policy"] == before["Policy"]
    assert code(world.as_root().create_key, Policy=text) == MALFORMED
    assert len(world.as_root().list_keys()["Keys"]) == 1


def test_put_policy(world: World) -> None:
    """A policy replaces the old one at once; the lockout check may be left out, the right to put it not."""
    put, new = (
        world.role(world.app).put_key_policy,
        policy(naming(world.app, ["kms:PutKeyPolicy", "kms:Get*"])),
    )
    given = {"KeyId": world.key, "Policy": json.dumps(new)}
    assert code(put, **given) == DENIED
    world.allow(world.app, "kms:PutKeyPolicy")
    assert code(put, **given, PolicyName="other") == "NotFoundException"
    assert code(put, **given) == ""
    world.allow(world.app)
    assert json.loads(world.role(world.app).get_key_policy(KeyId=world.key)["Policy"]) == new
    assert code(world.as_root().get_key_policy, KeyId=world.key) == DENIED
    nobody = json.dumps(policy(naming(root(PARTNER), "kms:*")))
    assert code(put, KeyId=world.key, Policy=nobody) == MALFORMED
    assert code(put, KeyId=world.key, Policy=nobody, BypassPolicyLockoutSafetyCheck=True) == ""
    assert code(put, **given) == DENIED


@pytest.mark.parametrize("left_out", ["Action", "Resource"])
def test_incomplete_statement(world: World, left_out: str) -> None:
    """A statement without Action or Resource is stored as it is; it neither allows nor denies."""
    whole = naming(world.app, "kms:Encrypt")
    part = {name: value for name, value in whole.items() if name != left_out}
    encrypt = world.role(world.app).encrypt
    for effect, complete, expected in (("Allow", [], DENIED), ("Deny", [whole], "")):
        stored = policy(naming(root(), "kms:*"), {**part, "Effect": effect}, *complete)
        world.as_root().put_key_policy(KeyId=world.key, Policy=json.dumps(stored))
        assert json.loads(world.as_root().get_key_policy(KeyId=world.key)["Policy"]) == stored
        assert code(encrypt, KeyId=world.key, Plaintext=b"p") == expected


RAM = {"Version": "2012-10-17", "Statement": [naming(root(PARTNER), "kms:Encrypt")]}


def test_second_policy(world: World) -> None:
    """A policy of Resource Access Manager is listed and shown, put by nobody, and decides nothing."""
    kms, key = world.as_root(), {"KeyId": world.key}
    assert code(kms.get_key_policy, **key, PolicyName="AWS_RAM") == "NotFoundException"
    world.cloud.kms.share(world.key, RAM)
    assert kms.list_key_policies(**key)["PolicyNames"] == ["default", "AWS_RAM"]
    shown = kms.get_key_policy(**key, PolicyName="AWS_RAM")
    assert (json.loads(shown["Policy"]), shown["PolicyName"]) == (RAM, "AWS_RAM")
    assert json.loads(kms.get_key_policy(**key)["Policy"]) != RAM
    put = {**key, "PolicyName": "AWS_RAM", "Policy": json.dumps(RAM)}
    assert code(kms.put_key_policy, **put) == "ValidationException"
    assert code(world.role(world.app).put_key_policy, **put) == DENIED
    world.allow(world.partner, "kms:Encrypt")
    assert code(world.role(world.partner).encrypt, **key, Plaintext=b"p") == DENIED
    first = kms.list_key_policies(**key, Limit=1)
    assert (first["PolicyNames"], first["Truncated"]) == (["default"], True)
    assert kms.list_key_policies(**key, Marker=first["NextMarker"])["PolicyNames"] == ["AWS_RAM"]
    world.cloud.kms.share(world.key, None)
    assert kms.list_key_policies(**key)["PolicyNames"] == ["default"]


@pytest.mark.parametrize(
    ("condition", "given", "allowed"),
    [
        ({"Null": {"kms:BypassPolicyLockoutSafetyCheck": "true"}}, {}, True),
        (
            {"Null": {"kms:BypassPolicyLockoutSafetyCheck": "true"}},
            {"BypassPolicyLockoutSafetyCheck": False},
            False,
        ),
        (
            {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}},
            {"BypassPolicyLockoutSafetyCheck": True},
            True,
        ),
        ({"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}}, {}, False),
        ({"StringEquals": {"kms:PolicyName": "default"}}, {}, True),
        ({"StringEquals": {"kms:PolicyName": "default"}}, {"PolicyName": "default"}, True),
        ({"StringNotEquals": {"kms:PolicyName": "default"}}, {}, False),
        ({"StringEquals": {"kms:CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"}}, {}, True),
        ({"StringEquals": {"kms:CustomerMasterKeyUsage": "SIGN_VERIFY"}}, {}, False),
    ],
)
def test_conditions_on_putting_a_policy(
    world: World, condition: dict[str, Any], given: dict[str, Any], *, allowed: bool
) -> None:
    """Conditions see the policy's name, and of the lockout check only what the caller sent."""
    allow = statement("kms:PutKeyPolicy", Condition=condition)
    world.cloud.put_role_policies(world.app, [policy(allow)])
    put = world.role(world.app).put_key_policy
    new = json.dumps(policy(naming(root(), "kms:*"), naming(world.app, "kms:PutKeyPolicy")))
    assert code(put, KeyId=world.key, Policy=new, **given) == ("" if allowed else DENIED)


@pytest.mark.parametrize("key", ["kms:EncryptionContext:a", "aws:RequestTag/team"])
def test_overly_permissive_condition(world: World, key: str) -> None:
    """ForAllValues on a key that has one value is refused: a call without the key would meet it."""

    def stored(operator: str) -> str:
        use = naming(world.app, "kms:Encrypt", Condition={operator: {key: "b"}})
        text = json.dumps(policy(naming(root(), "kms:*"), use))
        return code(world.as_root().put_key_policy, KeyId=world.key, Policy=text)

    assert stored("ForAllValues:StringEquals") == stored("forallvalues:StringLikeIfExists") == MALFORMED
    assert stored("StringEquals") == stored("ForAnyValue:StringEquals") == ""
    use = naming(world.app, "kms:*", Condition={"ForAllValues:StringEquals": {key: "b"}})
    text = json.dumps(policy(naming(root(), "kms:*"), use))
    _, words = refusal(world.as_root().create_key, Policy=text)
    assert words.startswith("OverlyPermissiveCondition: Using the ForAllValues set operator")


def test_policy_size(world: World) -> None:
    """A key policy of more than 32 KB is refused."""
    long = policy(*[naming(root(), "kms:*", Sid=f"s{number:04}") for number in range(300)])
    put = world.as_root().put_key_policy
    assert code(put, KeyId=world.key, Policy=json.dumps(long)) == "LimitExceededException"
    short = policy(*long["Statement"][:200])
    assert code(put, KeyId=world.key, Policy=json.dumps(short)) == ""
