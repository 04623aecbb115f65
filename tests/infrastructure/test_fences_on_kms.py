"""The same fences, tried: the credentials of `requests` against the strict KMS, as if it were taken over."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.moto_api._internal.models import moto_api_backend

from tests.infrastructure.stack import NOW, ROLES, deployed
from tests.infrastructure.test_fences import ABSENT, VARIANTS, grant_in_order, open_key
from tests.local_aws.cloud import Cloud
from tests.local_stack.deployment import Deployment

_FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function"
_WRITER = "arn:aws:iam::666677778888:role/writer"
# KMS refuses these as malformed before it asks whether they are allowed.
_MALFORMED = ("CreateGrant", "to a service")
# These too, unless it is read as taking them: which is right is contested, so no fence may rest on it.
_EMPTY = ("an empty constraint", "an empty subset constraint")


@pytest.fixture(params=[False, True], ids=["empty constraints refused", "empty constraints taken"])
def stack(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """The deployed template, and the principals that the cases name, under both readings of KMS."""
    deployed()  # the cases name its principals, and only one stack at a time has tables
    made = Deployment.create(Cloud(lambda: NOW))
    made.cloud.kms.readings.accepts_empty_constraints = request.param
    for account in ("111122223333", "444455556666", "666677778888"):
        made.cloud.create_role("writer", [], account=account)
    made.cloud.create_role("writer", [], account="444455556666", path="/app/")
    made.cloud.create_user("writer", [], account="444455556666")
    yield made
    moto_api_backend.reset()


def _parameters(changes: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in (grant_in_order() | changes).items() if value is not ABSENT}
    kind = given.pop("kms:GrantConstraintType", None)
    operations = given.pop("kms:GrantOperations")
    keys = given.pop("kms:EncryptionContextKeys", [])
    rest = {name.removeprefix("kms:"): value for name, value in given.items()}
    value = (
        "arn:aws:rds:eu-central-1:111122223333:db:some" if kind == "SourceArn" else dict.fromkeys(keys, "1")
    )
    return rest | {"Operations": operations} | ({"Constraints": {kind: value}} if kind else {})


def _tried(stack: Deployment) -> dict[str, str]:
    """Case to the code that KMS answers with; a dry run's own code means that the call would succeed."""
    client = stack.cloud.session(stack.credentials("requests")).client("kms")
    return {
        name: _code(client, stack.keys["partner_data"], changes) for name, (changes, _) in VARIANTS.items()
    }


def _code(client: Any, key: str, changes: dict[str, Any]) -> str:
    with pytest.raises(ClientError) as refusal:
        client.create_grant(KeyId=key, DryRun=True, **_parameters(changes))
    return str(refusal.value.response["Error"]["Code"])


def _expected(stack: Deployment) -> dict[str, str]:
    codes = {
        name: "DryRunOperationException" if may else "AccessDeniedException"
        for name, (_, may) in VARIANTS.items()
    }
    taken = stack.cloud.kms.readings.accepts_empty_constraints
    return codes | dict.fromkeys(_MALFORMED if taken else _MALFORMED + _EMPTY, "ValidationException")


def test_by_the_founding_keys_policy(stack: Deployment) -> None:
    """What the fences let through would succeed; each neighbour is refused."""
    assert _tried(stack) == _expected(stack)


def test_on_an_open_key(stack: Deployment) -> None:
    """Where the key's policy lets the role do anything, the role's Denies refuse the same."""
    stack.cloud.put_key_policy(stack.keys["partner_data"], open_key("requests"))
    assert _tried(stack) == _expected(stack)


@pytest.mark.parametrize(
    "constraints", [{}, {"EncryptionContextEquals": {}}, {"EncryptionContextSubset": {}}]
)
def test_an_empty_constraint(stack: Deployment, constraints: dict[str, Any]) -> None:
    """No grant comes of one, even where the key's policy lets the role do anything and KMS takes it."""
    key, taken = stack.keys["partner_data"], stack.cloud.kms.readings.accepts_empty_constraints
    given = {**_parameters({}), "KeyId": key, "Constraints": constraints}
    if taken:
        assert stack.cloud.session(stack.cloud.root()).client("kms").create_grant(**given)["GrantId"]
    before = stack.cloud.grants(key)
    stack.cloud.put_key_policy(key, open_key("requests"))
    with pytest.raises(ClientError) as refusal:
        stack.cloud.session(stack.credentials("requests")).client("kms").create_grant(**given)
    code = refusal.value.response["Error"]["Code"]
    assert code == ("AccessDeniedException" if taken else "ValidationException")
    assert stack.cloud.grants(key) == before


@pytest.mark.parametrize("role", ROLES)
def test_no_role_of_the_stack_uses_a_key_by_a_grant(stack: Deployment, role: str) -> None:
    """Not even under the encryption context of its own function's environment, where anybody else could."""
    context = {"aws:lambda:FunctionArn": f"{_FUNCTION}:{stack.function_name(role)}"}
    key, grantee = stack.keys["partner_data"], stack.functions[role].role
    granting = stack.cloud.session(stack.cloud.root()).client("kms")
    for each in (grantee, _WRITER):
        granting.create_grant(
            KeyId=key,
            GranteePrincipal=each,
            Operations=["Encrypt", "Decrypt", "GenerateDataKey"],
            Constraints={"EncryptionContextEquals": context},
        )
    writer = stack.cloud.session_for(_WRITER, "w")
    by_anybody = stack.cloud.session(writer).client("kms")
    sealed = by_anybody.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    given: dict[str, Any] = {"KeyId": key, "EncryptionContext": context}
    client = stack.cloud.session(stack.credentials(role)).client("kms")
    for use in (
        lambda: client.encrypt(Plaintext=b"x", **given),
        lambda: client.generate_data_key(KeySpec="AES_256", **given),
        lambda: client.decrypt(CiphertextBlob=sealed, **given),
    ):
        with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
            use()
    assert by_anybody.decrypt(CiphertextBlob=sealed, **given)["Plaintext"] == b"x"


def test_the_alias_that_is_exempt_is_aws_s_alone(stack: Deployment) -> None:
    """Nobody, not even the root user, gives a key of theirs the alias of Lambda's own key."""
    client = stack.cloud.session(stack.cloud.root()).client("kms")
    with pytest.raises(ClientError) as refusal:
        client.create_alias(AliasName="alias/aws/lambda", TargetKeyId=stack.keys["partner_data"])
    assert refusal.value.response["Error"]["Code"] == "NotAuthorizedException"
