"""Who may use a key: key policy, identity policies and grants, each given and each missing."""

from typing import Any

import pytest

from tests.integration.local_aws.world import (
    DENIED,
    HOME,
    PAIRS,
    PARTNER,
    World,
    code,
    naming,
    policy,
    refusal,
    root,
    statement,
)


def _encrypt(client: Any, key: str, pairs: dict[str, str] | None = None) -> str:
    return code(client.encrypt, KeyId=key, Plaintext=b"p", EncryptionContext=pairs or PAIRS)


def test_account_and_identity_policy(world: World) -> None:
    """A key policy that names the account leaves it to the role's identity policies: both are needed."""
    assert _encrypt(world.role(world.app), world.key) == DENIED
    world.allow(world.app, "kms:Encrypt")
    assert _encrypt(world.role(world.app), world.key) == ""
    world.cloud.put_key_policy(world.key, policy())
    assert _encrypt(world.role(world.app), world.key) == DENIED


def test_key_policy_names_role(world: World) -> None:
    """A key policy that names the role needs no identity policy, for this role and action alone."""
    world.cloud.put_key_policy(world.key, policy(naming(world.app, "kms:Encrypt")))
    assert _encrypt(world.role(world.app), world.key) == ""
    assert _encrypt(world.role(world.expiry), world.key) == DENIED
    assert code(world.role(world.app).describe_key, KeyId=world.key) == DENIED
    assert _encrypt(world.as_root(), world.key) == DENIED


def test_other_account_needs_both(world: World) -> None:
    """From another account the key policy and an identity policy must allow."""
    assert _encrypt(world.role(world.partner), world.key) == DENIED
    world.allow(world.partner, "kms:Encrypt")
    assert _encrypt(world.role(world.partner), world.key) == DENIED
    world.cloud.put_key_policy(world.key, policy(naming(root(PARTNER), "kms:*")))
    assert _encrypt(world.role(world.partner), world.key) == ""
    assert code(world.role(world.partner).enable_key, KeyId=world.key) == DENIED
    world.allow(world.partner)
    assert _encrypt(world.role(world.partner), world.key) == DENIED


@pytest.mark.parametrize("where", ["key policy", "identity policy"])
def test_deny_wins_over_grant(world: World, where: str) -> None:
    """An explicit Deny wins, wherever it stands, over a grant too."""
    world.grant()
    assert _encrypt(world.role(world.partner), world.key) == ""
    if where == "key policy":
        denying = naming(root(PARTNER), "kms:Encrypt") | {"Effect": "Deny"}
        world.cloud.put_key_policy(world.key, policy(naming(root(), "kms:*"), denying))
    else:
        world.cloud.put_role_policies(world.partner, [policy(statement("kms:Encrypt", "Deny"))])
    assert _encrypt(world.role(world.partner), world.key) == DENIED


def test_grant_to_role(world: World) -> None:
    """A grant allows its grantee, its operation with its pairs, and nobody anything else."""
    colleague = world.cloud.create_role("colleague", [], PARTNER)
    grant_id = world.grant()
    assert _encrypt(world.role(world.partner, session="one"), world.key) == ""
    assert _encrypt(world.role(world.partner, session="two"), world.key) == ""
    assert _encrypt(world.role(world.partner), world.key, {"a": "c"}) == DENIED
    assert _encrypt(world.role(world.partner), world.key, {"a": "b", "c": "d"}) == DENIED
    assert code(world.role(world.partner).encrypt, KeyId=world.key, Plaintext=b"p") == DENIED
    assert _encrypt(world.role(colleague), world.key) == DENIED
    data_key = world.role(world.partner).generate_data_key
    assert code(data_key, KeyId=world.key, KeySpec="AES_256", EncryptionContext=PAIRS) == DENIED
    world.as_root().revoke_grant(KeyId=world.key, GrantId=grant_id)
    assert _encrypt(world.role(world.partner), world.key) == DENIED


def test_grant_to_session(world: World) -> None:
    """A grant to a session allows this session of the role and no other."""
    session = f"arn:aws:sts::{PARTNER}:assumed-role/partner/one"
    world.grant(GranteePrincipal=session)
    assert _encrypt(world.role(world.partner, session="one"), world.key) == ""
    assert _encrypt(world.role(world.partner, session="two"), world.key) == DENIED


def test_grant_to_user(world: World) -> None:
    """A grant to an IAM user allows the user, as long as it is the same one."""
    keys = world.cloud.create_user("bob", [], PARTNER)
    world.grant(GranteePrincipal=keys.arn)
    assert _encrypt(world.client(keys), world.key) == ""
    world.cloud.directory.delete(keys.arn)
    assert _encrypt(world.client(world.cloud.create_user("bob", [], PARTNER)), world.key) == DENIED


def test_grant_to_account(world: World) -> None:
    """A grant to an account's root leaves the choice to the account's identity policies."""
    world.grant(GranteePrincipal=root(PARTNER))
    assert _encrypt(world.role(world.partner), world.key) == DENIED
    world.allow(world.partner, "kms:Encrypt")
    assert _encrypt(world.role(world.partner), world.key) == ""


def test_subset_constraint(world: World) -> None:
    """A subset constraint asks for its pairs and lets further ones pass."""
    world.grant(Constraints={"EncryptionContextSubset": {"a": "b"}})
    client = world.role(world.partner)
    assert _encrypt(client, world.key, {"a": "b"} | {str(n): "x" for n in range(12)}) == ""
    assert _encrypt(client, world.key, {"a": "b", "c": "d"}) == ""
    assert _encrypt(client, world.key, {"c": "d"}) == DENIED
    assert _encrypt(client, world.key, {str(n): "x" for n in range(12)}) == DENIED


def test_constraint_ignored_where_nothing_is_encrypted(world: World) -> None:
    """A constraint does not hold for DescribeKey, which has no encryption context."""
    world.grant(Operations=["Encrypt", "DescribeKey"])
    assert code(world.role(world.partner).describe_key, KeyId=world.key) == ""


def test_recreated_role(world: World) -> None:
    """A recreated role has neither its predecessor's grants nor what a key policy gave it."""
    world.grant()
    world.cloud.put_key_policy(world.key, policy(naming(root(), "kms:*"), naming(world.app, "kms:Encrypt")))
    assert _encrypt(world.role(world.app), world.key) == ""
    for name, account in (("partner", PARTNER), ("app", HOME)):
        world.cloud.delete_role(f"arn:aws:iam::{account}:role/{name}")
        world.cloud.create_role(name, [], account)
    assert _encrypt(world.role(world.partner), world.key) == DENIED
    assert _encrypt(world.role(world.app), world.key) == DENIED
    assert world.cloud.grants(world.key)[0]["GranteePrincipal"].startswith("AROA")
    assert '"AROA' in world.as_root().get_key_policy(KeyId=world.key)["Policy"]


def test_deleted_role_has_no_session(world: World) -> None:
    """The credentials of a deleted role are nobody's."""
    client = world.role(world.partner)
    world.cloud.delete_role(world.partner)
    assert _encrypt(client, world.key) == "UnrecognizedClientException"


ELSEWHERE = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a"
    " resource-based policy explicitly denies access"
)


def _refusal(client: Any, key: str) -> str:
    found, message = refusal(client.encrypt, KeyId=key, Plaintext=b"p")
    assert found == DENIED
    return message


def _words(role: str, account: str, key: str, why: str) -> str:
    who = f"User: arn:aws:sts::{account}:assumed-role/{role}/session"
    return f"{who} is not authorized to perform: kms:Encrypt on resource: {key} {why}"


def test_words_of_a_refusal_at_home(world: World) -> None:
    """In the key's account a refusal names the side that allows nothing, or that denies."""
    app, key = world.role(world.app), world.key
    no_identity = "because no identity-based policy allows the kms:Encrypt action"
    assert _refusal(app, key) == _words("app", HOME, key, no_identity)
    denying = statement("kms:Encrypt", "Deny")
    world.cloud.put_role_policies(world.app, [policy(denying)])
    words = "with an explicit deny in an identity-based policy"
    assert _refusal(app, key) == _words("app", HOME, key, words)
    world.allow(world.app, "kms:*")
    world.cloud.put_key_policy(key, policy(naming(world.expiry, "kms:*")))
    no_resource = "because no resource-based policy allows the kms:Encrypt action"
    assert _refusal(app, key) == _words("app", HOME, key, no_resource)
    world.cloud.put_key_policy(key, policy(naming(root(), "kms:*"), naming("*", "*", Effect="Deny")))
    words = "with an explicit deny in a resource-based policy"
    assert _refusal(app, key) == _words("app", HOME, key, words)


def test_words_of_a_refusal_elsewhere(world: World) -> None:
    """A caller of another account is told of its own account's policies only: not whether a key exists."""
    partner, missing = world.role(world.partner), f"{world.key[:-12]}000000000000"
    world.allow(world.partner, "kms:*")
    for key in (world.key, missing):
        assert _refusal(partner, key) == _words("partner", PARTNER, key, ELSEWHERE)
    world.cloud.put_key_policy(world.key, policy(naming("*", "kms:*"), naming("*", "*", Effect="Deny")))
    assert _refusal(partner, world.key) == _words("partner", PARTNER, world.key, ELSEWHERE)
    world.cloud.put_key_policy(world.key, policy(naming("*", "kms:*")))
    assert code(partner.encrypt, KeyId=world.key, Plaintext=b"p") == ""
    world.allow(world.partner)
    words = "because no identity-based policy allows the kms:Encrypt action"
    assert _refusal(partner, world.key) == _words("partner", PARTNER, world.key, words)


@pytest.mark.parametrize(
    "operation",
    ["describe_key", "list_grants", "get_key_policy", "get_key_rotation_status", "retire_grant"],
)
def test_missing_key_of_another_account(world: World, operation: str) -> None:
    """A key that another account does not have is refused like one that it does not share."""
    world.allow(world.app, "kms:*")
    given = {"GrantId": "0" * 64} if operation == "retire_grant" else {}
    call = getattr(world.role(world.app), operation)
    for account, expected in ((PARTNER, DENIED), (HOME, "NotFoundException")):
        key = f"arn:aws:kms:eu-central-1:{account}:key/00000000-0000-4000-8000-000000000000"
        assert code(call, KeyId=key, **given) == expected
    alias = f"arn:aws:kms:eu-central-1:{PARTNER}:alias/none"
    assert operation != "describe_key" or code(call, KeyId=alias) == DENIED


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"kms:EncryptionContext:a": "b"}}, True),
        ({"StringEquals": {"kms:EncryptionContext:a": "c"}}, False),
        ({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": ["a"]}}, True),
        ({"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["c"]}}, False),
        ({"StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}}, True),
        ({"StringEquals": {"kms:CallerAccount": HOME}}, True),
        ({"StringEquals": {"kms:CallerAccount": PARTNER}}, False),
        ({"StringEquals": {"kms:ViaService": "dynamodb.eu-central-1.amazonaws.com"}}, False),
        ({"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT"}}, True),
        ({"StringEquals": {"kms:KeyOrigin": "AWS_KMS"}, "Bool": {"kms:MultiRegion": "false"}}, True),
        ({"StringEquals": {"kms:RequestAlias": "alias/data"}}, False),
        ({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/data"}}, True),
        ({"StringEquals": {"aws:ResourceTag/team": "blue"}}, True),
        ({"StringEquals": {"aws:ResourceTag/team": "red"}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": HOME, "aws:PrincipalType": "AssumedRole"}}, True),
        ({"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{HOME}:role/app"}}, True),
        ({"StringLike": {"aws:userid": "AROA*:session"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:01Z"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2030-01-01T00:00:01Z"}}, False),
        ({"NumericEquals": {"aws:EpochTime": "1893456000"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}, "IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
    ],
)
def test_request_context(world: World, condition: dict[str, Any], allowed: bool) -> None:  # noqa: FBT001
    """Conditions see all that AWS says of a call, and of nothing that it does not say."""
    kms = world.as_root()
    kms.create_alias(AliasName="alias/data", TargetKeyId=world.key)
    kms.tag_resource(KeyId=world.key, Tags=[{"TagKey": "team", "TagValue": "blue"}])
    world.cloud.put_role_policies(world.app, [policy(statement("kms:Encrypt", Condition=condition))])
    assert _encrypt(world.role(world.app), world.key) == ("" if allowed else DENIED)


def test_request_alias(world: World) -> None:
    """A call that names an alias says so."""
    condition = {"StringEquals": {"kms:RequestAlias": "alias/data"}}
    world.cloud.put_role_policies(world.app, [policy(statement("kms:Encrypt", Condition=condition))])
    world.as_root().create_alias(AliasName="alias/data", TargetKeyId=world.key)
    assert _encrypt(world.role(world.app), "alias/data") == ""
    assert _encrypt(world.role(world.app), f"arn:aws:kms:eu-central-1:{HOME}:alias/data") == ""
    assert _encrypt(world.role(world.app), world.key) == DENIED
