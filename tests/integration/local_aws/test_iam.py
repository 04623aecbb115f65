"""IAM and STS: who somebody is, and taking a role's policies away as an outside tester would."""

import json
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError

from tests.integration.local_aws.world import HOME, PARTNER, World, code, policy, root, statement

READ = json.dumps(policy(statement("kms:Encrypt")))
GONE = "NoSuchEntity"


def test_caller_identity(world: World) -> None:
    """GetCallerIdentity answers everybody, without any right and against a Deny."""
    world.cloud.put_role_policies(world.app, [policy(statement("*", "Deny"))])
    keys = world.cloud.create_user("bob", [])
    unique = world.cloud.directory.resolve
    who = world.role(world.app, "sts").get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{HOME}:assumed-role/app/session"
    assert (who["Account"], who["UserId"]) == (HOME, f"{unique(world.app)}:session")
    assert world.client(keys, "sts").get_caller_identity()["Arn"] == keys.arn
    assert world.as_root("sts").get_caller_identity()["Arn"] == root()
    assert world.as_root("sts").get_caller_identity()["UserId"] == HOME
    assert world.role(world.partner, "sts").get_caller_identity()["Account"] == PARTNER


def test_inline_policies(world: World) -> None:
    """Root puts and deletes a role's policies, which decide its next call."""
    iam, encrypt = world.as_root("iam"), world.role(world.app).encrypt
    wanted = {"KeyId": world.key, "Plaintext": b"p"}
    iam.put_role_policy(RoleName="app", PolicyName="read", PolicyDocument=READ)
    assert code(encrypt, **wanted) == ""
    assert iam.list_role_policies(RoleName="app")["PolicyNames"] == ["read"]
    found = iam.get_role_policy(RoleName="app", PolicyName="read")["PolicyDocument"]
    assert found == json.loads(READ) or json.loads(unquote(found)) == json.loads(READ)
    iam.delete_role_policy(RoleName="app", PolicyName="read")
    assert code(encrypt, **wanted) == "AccessDeniedException"
    assert code(iam.delete_role_policy, RoleName="app", PolicyName="read") == GONE
    assert code(iam.get_role_policy, RoleName="app", PolicyName="read") == GONE
    broken = {"RoleName": "app", "PolicyName": "x", "PolicyDocument": '{"Statement": [{}]}'}
    assert code(iam.put_role_policy, **broken) == "MalformedPolicyDocument"


def test_managed_policies(world: World) -> None:
    """A managed policy decides while it is attached."""
    iam, encrypt = world.as_root("iam"), world.role(world.app).encrypt
    wanted = {"KeyId": world.key, "Plaintext": b"p"}
    arn = iam.create_policy(PolicyName="read", PolicyDocument=READ)["Policy"]["Arn"]
    assert code(iam.create_policy, PolicyName="read", PolicyDocument=READ) == "EntityAlreadyExists"
    assert code(encrypt, **wanted) == "AccessDeniedException"
    iam.attach_role_policy(RoleName="app", PolicyArn=arn)
    assert code(encrypt, **wanted) == ""
    assert iam.list_attached_role_policies(RoleName="app")["AttachedPolicies"][0]["PolicyArn"] == arn
    iam.detach_role_policy(RoleName="app", PolicyArn=arn)
    assert code(encrypt, **wanted) == "AccessDeniedException"
    assert code(iam.detach_role_policy, RoleName="app", PolicyArn=arn) == GONE
    assert code(iam.attach_role_policy, RoleName="app", PolicyArn=arn + "2") == GONE


def test_roles_and_users(world: World) -> None:
    """Roles and users are made and deleted; one that was recreated is another."""
    iam, trust = world.as_root("iam"), json.dumps(policy())
    made = iam.create_role(RoleName="new", Path="/a/b/", AssumeRolePolicyDocument=trust)["Role"]
    assert made["Arn"] == f"arn:aws:iam::{HOME}:role/a/b/new"
    assert iam.get_role(RoleName="new")["Role"]["RoleId"] == made["RoleId"]
    assert code(iam.create_role, RoleName="new", AssumeRolePolicyDocument=trust) == "EntityAlreadyExists"
    iam.put_role_policy(RoleName="new", PolicyName="p", PolicyDocument=READ)
    assert code(iam.delete_role, RoleName="new") == "DeleteConflict"
    iam.delete_role_policy(RoleName="new", PolicyName="p")
    iam.delete_role(RoleName="new")
    assert code(iam.get_role, RoleName="new") == GONE
    again = iam.create_role(RoleName="new", AssumeRolePolicyDocument=trust)["Role"]
    assert again["RoleId"] != made["RoleId"]
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    found = world.cloud.identity(key["AccessKeyId"])
    assert found
    assert found.secret_access_key == key["SecretAccessKey"]
    iam.delete_user(UserName="bob")
    assert world.cloud.identity(key["AccessKeyId"]) is None
    assert code(iam.list_roles) == "InvalidAction"


def test_right_to_change(world: World) -> None:
    """Whoever has no right to it changes no policy, their own least of all."""
    given = {"RoleName": "app", "PolicyName": "read", "PolicyDocument": READ}
    assert code(world.role(world.app, "iam").put_role_policy, **given) == "AccessDenied"
    assert code(world.role(world.partner, "iam").put_role_policy, **given) == "AccessDenied"
    own = statement("iam:PutRolePolicy", Resource=world.app)
    world.cloud.put_role_policies(world.app, [policy(own)])
    assert (
        code(world.role(world.app, "iam").put_role_policy, **given | {"RoleName": "expiry"}) == "AccessDenied"
    )
    assert code(world.role(world.app, "iam").put_role_policy, **given) == ""
    assert code(world.role(world.app, "iam").get_role, RoleName="nobody") == "AccessDenied"


@pytest.mark.parametrize(("trusted", "allowed"), [("app", True), ("expiry", False), (None, False)])
def test_assume_role(world: World, trusted: str | None, allowed: bool) -> None:  # noqa: FBT001
    """A role is assumed by whom its trust policy names, and who may assume roles."""
    iam, given = (
        world.as_root("iam"),
        {"RoleArn": f"arn:aws:iam::{HOME}:role/x/target", "RoleSessionName": "me"},
    )
    principal = (
        {"Service": "ec2.amazonaws.com"}
        if trusted is None
        else {"AWS": f"arn:aws:iam::{HOME}:role/{trusted}"}
    )
    trust = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal})
    iam.create_role(RoleName="target", Path="/x/", AssumeRolePolicyDocument=json.dumps(trust))
    assume = world.role(world.app, "sts").assume_role
    world.allow(world.app, "sts:AssumeRole")
    assert code(assume, **given) == ("" if allowed else "AccessDenied")
    assert code(world.as_root("sts").assume_role, **given) == "AccessDenied"
    assert code(assume, RoleArn=world.expiry, RoleSessionName="me") == "AccessDenied"
    assert code(assume, **given | {"RoleSessionName": "a b"}) == "ValidationError"
    if allowed:
        found = assume(**given)
        assert found["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{HOME}:assumed-role/target/me"
        keys = world.cloud.identity(found["Credentials"]["AccessKeyId"])
        assert keys
        assert keys.session_token == found["Credentials"]["SessionToken"]
    assert code(world.as_root("sts").get_session_token) == "InvalidAction"


SHORT = (
    "1 validation error detected: Value 'short' at 'roleArn' failed to satisfy constraint:"
    " Member must have length greater than or equal to 20"
)


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        ("arn:aws:iam::1:role/x-target", "arn:aws:iam::1:role/x-target is invalid"),
        (f"arn:aws:iam::{HOME}:user/target", f"arn:aws:iam::{HOME}:user/target is invalid"),
        (f"arn:aws:iam:eu:{HOME}:role/target", f"arn:aws:iam:eu:{HOME}:role/target is invalid"),
        ("just a text of twenty characters", "just a text of twenty characters is invalid"),
        (
            "short",
            SHORT,
        ),
    ],
)
def test_malformed_role_arn(world: World, arn: str, message: str) -> None:
    """An ARN that is no role's is a validation error, 400; one of no role that exists is refused, 403."""
    world.allow(world.app, "sts:*")
    sts = world.unchecked(world.cloud.session_for(world.app, "s"), "sts")
    with pytest.raises(ClientError) as refusal:
        sts.assume_role(RoleArn=arn, RoleSessionName="me")
    error, status = refusal.value.response["Error"], refusal.value.response["ResponseMetadata"]
    assert (error["Code"], error["Message"], status["HTTPStatusCode"]) == ("ValidationError", message, 400)
    with pytest.raises(ClientError) as refusal:
        sts.assume_role(RoleArn=f"arn:aws:iam::{HOME}:role/nobody", RoleSessionName="me")
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize("broken", [{"Principal": "*", "Resource": "*"}, {}])
def test_policies_of_the_wrong_kind(world: World, broken: dict[str, str]) -> None:
    """An identity policy has resources and no principal, a trust policy the reverse."""
    iam = world.as_root("iam")
    document = json.dumps(policy({"Effect": "Allow", "Action": "*", **broken}))
    given = {"RoleName": "app", "PolicyName": "x", "PolicyDocument": document}
    assert code(iam.put_role_policy, **given) == "MalformedPolicyDocument"
    trust = {"RoleName": "new", "AssumeRolePolicyDocument": document}
    assert code(iam.create_role, **trust) == "MalformedPolicyDocument"
    assert code(world.role(world.app).encrypt, KeyId=world.key, Plaintext=b"p") == "AccessDeniedException"


def test_account_authorization_details(world: World) -> None:
    """Who may read all of IAM gets roles, users and managed policies of the own account, page after page."""
    iam = world.as_root("iam")
    iam.put_role_policy(RoleName="app", PolicyName="read", PolicyDocument=READ)
    arn = iam.create_policy(PolicyName="managed", PolicyDocument=READ)["Policy"]["Arn"]
    iam.create_user(UserName="amy")
    iam.attach_user_policy(UserName="amy", PolicyArn=arn)
    whole = iam.get_account_authorization_details()
    roles = {role["Arn"]: role for role in whole["RoleDetailList"]}
    assert roles[world.app]["RolePolicyList"] == [{"PolicyName": "read", "PolicyDocument": json.loads(READ)}]
    assert {each.split(":")[4] for each in roles} == {HOME}
    (user,) = whole["UserDetailList"]
    assert user["AttachedManagedPolicies"] == [{"PolicyName": "managed", "PolicyArn": arn}]
    (policy_shown,) = whole["Policies"]
    assert (policy_shown["Arn"], policy_shown["PolicyVersionList"][0]["Document"]) == (arn, json.loads(READ))
    paginator = iam.get_paginator("get_account_authorization_details")
    pages = list(paginator.paginate(PaginationConfig={"PageSize": 1}))
    assert len(pages) == len(roles) + 2
    assert [each["Arn"] for page in pages for each in page["RoleDetailList"]] == list(roles)
    assert code(world.role(world.app, "iam").get_account_authorization_details) == "AccessDenied"
