"""What a function may do on a key whose policy lets it do anything, and what AWS must do in its name."""

from collections.abc import Mapping
from typing import Any

import pytest

from grant_broker.policy_engine import Call, decide_kms
from tests.infrastructure.stack import ROLES, actions, call, deployed, policies
from tests.infrastructure.test_fences import grant_in_order, open_key

MAY = {
    "requests": "CreateGrant GetKeyPolicy",
    "approvals": "DescribeKey GetKeyLastUsage GetKeyPolicy ListGrants ListKeyPolicies",
    "expiry": "GetKeyPolicy ListGrants RevokeGrant",
    "reconcile": "ListGrants",
    "events": "",
}
DATA_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0d0d0d-0000-0000-0000-000000000000"
FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function"
DYNAMODB = {"kms:ViaService": "dynamodb.eu-central-1.amazonaws.com"}


@pytest.mark.parametrize("role", ROLES)
def test_on_an_open_key_a_role_does_its_own_work_only(role: str) -> None:
    """No role encrypts, decrypts, or manages a key, however widely the key's policy opens it."""
    key = deployed().keys["partner_data"]
    allowed = [
        action.removeprefix("kms:")
        for action in actions("kms")
        if decide_kms(
            call(role, action, key, **grant_in_order()),
            key_policy=open_key(role),
            identity_policies=policies(role),
        ).allowed
    ]
    assert " ".join(allowed) == MAY[role]


def test_expiry_retires_its_grants_whatever_the_key_policy_says() -> None:
    """The retiring principal needs no policy, and the fence does not stop it; nobody else may retire."""
    key = deployed().keys["partner_data"]
    grant = {
        "GrantId": "g",
        "GranteePrincipal": "arn:aws:iam::444455556666:role/partner-application",
        "RetiringPrincipal": deployed().template.reference("ExpiryRole", "Arn"),
        "Operations": ["Encrypt"],
        "IssuingAccount": "arn:aws:iam::111122223333:root",
    }
    closed: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    for role in ROLES:
        asked = call(role, "kms:RetireGrant", key)
        found = decide_kms(asked, key_policy=closed, identity_policies=policies(role), grants=[grant])
        assert found.allowed is (role == "expiry")


def _granted(role: str, action: str, context: Mapping[str, object]) -> bool:
    """Whether the role may call on a key by a grant to it alone, the key policy saying nothing."""
    grant = {
        "GrantId": "g",
        "GranteePrincipal": deployed().functions[role].role,
        "Operations": ["Decrypt", "Encrypt", "GenerateDataKey", "DescribeKey"],
    }
    nothing: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    asked = call(role, f"kms:{action}", DATA_KEY, **context)
    return decide_kms(asked, key_policy=nothing, identity_policies=policies(role), grants=[grant]).allowed


@pytest.mark.parametrize("role", ROLES)
def test_lambda_decrypts_the_function_s_environment_in_its_role(role: str) -> None:
    """By a grant on the account's key aws/lambda, and nothing else is done with that key."""
    aliases = {"kms:ResourceAliases": ["alias/aws/lambda"]}
    assert _granted(role, "Decrypt", aliases)
    assert _granted(role, "Decrypt", {"kms:ResourceAliases": ["alias/other", "alias/aws/lambda"]})
    assert not any(_granted(role, action, aliases) for action in ("Encrypt", "GenerateDataKey"))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"kms:EncryptionContext:aws:lambda:FunctionArn": f"{FUNCTION}:{{}}"},
        {"kms:ResourceAliases": ["alias/grant-broker/partner-data"]},
        {"kms:ResourceAliases": ["alias/aws/lambda-of-mine", "alias/AWS/lambda"]},
        {"kms:RequestAlias": "alias/aws/lambda"},
        {"kms:ViaService": "lambda.us-east-1.amazonaws.com"},
    ],
    ids=str,
)
def test_a_grant_to_a_role_of_the_stack_is_no_use(role: str, chosen: dict[str, Any]) -> None:
    """Whatever the caller writes into the call, no role of the stack uses a key by a grant to it."""
    context = {
        name: value.format(deployed().function_name(role)) if isinstance(value, str) else value
        for name, value in chosen.items()
    }
    assert not any(_granted(role, action, context) for action in ("Decrypt", "Encrypt", "GenerateDataKey"))


@pytest.mark.parametrize("role", ROLES)
def test_the_operator_s_data_key_serves_through_dynamodb_only(role: str) -> None:
    """With DataKeyArn the tables stay readable through DynamoDB, and the key is no use by itself."""
    stack = deployed(DataKeyArn=DATA_KEY)
    account = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}
    key = {"Version": "2012-10-17", "Statement": [account | {"Action": "kms:*", "Resource": "*"}]}

    def may(action: str, **context: object) -> bool:
        arn = stack.functions[role].role
        credentials = stack.credentials(role)
        asked = Call(credentials.arn, action, DATA_KEY, {"aws:PrincipalArn": arn, **context})
        return decide_kms(asked, key_policy=key, identity_policies=policies(role, stack)).allowed

    assert may("kms:Decrypt", **DYNAMODB)
    assert not may("kms:Decrypt")
    assert not may("kms:Decrypt", **{"kms:ViaService": "s3.eu-central-1.amazonaws.com"})
    assert not may("kms:ScheduleKeyDeletion", **DYNAMODB)
    through_queue = {"kms:ViaService": "sqs.eu-central-1.amazonaws.com"}
    assert may("kms:GenerateDataKey", **through_queue) is (role == "events")


def test_administrators_manage_the_key_and_cannot_use_it() -> None:
    """Whatever IAM allows them: no cryptographic operation, no grant; the root user keeps everything."""
    admin = "arn:aws:iam::111122223333:role/key-admin"
    everything = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [everything]}
    key = deployed().template.properties("PartnerDataKey")["KeyPolicy"]

    def may(principal: str, identity: list[dict[str, Any]]) -> set[str]:
        return {
            action.removeprefix("kms:")
            for action in actions("kms")
            if decide_kms(
                Call(principal, action, deployed().keys["partner_data"], {"aws:PrincipalArn": principal}),
                key_policy=key,
                identity_policies=identity,
            ).allowed
        }

    administration = next(s for s in key["Statement"] if s["Sid"] == "Administration")["Action"]
    assert may(admin, [policy]) == {action.removeprefix("kms:") for action in administration}
    assert {"PutKeyPolicy", "ScheduleKeyDeletion", "RevokeGrant"} <= may(admin, [policy])
    assert not may(admin, [policy]) & {
        "Encrypt",
        "Decrypt",
        "GenerateDataKey",
        "ReEncryptFrom",
        "CreateGrant",
    }
    assert may(admin, []) == set()
    root = "arn:aws:iam::111122223333:root"
    # RetireGrant comes from no key policy.
    assert may(root, []) == {action.removeprefix("kms:") for action in actions("kms")} - {"RetireGrant"}
    assert may("arn:aws:iam::777788889999:role/outsider", [policy]) == set()


def test_both_must_grant_the_data_reader() -> None:
    """The key policy delegates to the role, and its IAM policy allows: one without the other is nothing."""
    key_arn = deployed().keys["partner_data"]
    reader = deployed().template.reference("DataReaderRole", "Arn")
    own = deployed().cloud.directory.principals[reader].policies
    key = deployed().template.properties("PartnerDataKey")["KeyPolicy"]
    without = key | {"Statement": [s for s in key["Statement"] if s["Sid"] != "DataReader"]}
    default = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}
    unchanged = {"Version": "2012-10-17", "Statement": [default | {"Action": "kms:*", "Resource": "*"}]}

    def may(action: str, key_policy: dict[str, Any], identity: list[dict[str, Any]]) -> bool:
        asked = Call(reader, action, key_arn, {"aws:PrincipalArn": reader})
        return decide_kms(asked, key_policy=key_policy, identity_policies=identity).allowed

    assert may("kms:Decrypt", key, own)
    assert not may("kms:Encrypt", key, own)
    assert not may("kms:Decrypt", key, [])
    assert not may("kms:Decrypt", without, own)
    # What the default key policy would have let through: IAM alone decides.
    assert may("kms:Decrypt", unchanged, own)
