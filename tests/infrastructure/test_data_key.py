"""The statements that an operator's own key needs, on the strict KMS and by its engine, both ways."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from grant_broker.policy_engine import Call, decide_kms
from tests.infrastructure.stack import NOW, ROLES, actions, deployed, policies, template
from tests.local_aws.cloud import Cloud
from tests.local_stack.people import HOME

KEY = f"arn:aws:kms:eu-central-1:{HOME}:key/0d0d0d0d-0000-0000-0000-000000000000"
LOG = {"aws:logs:arn": f"arn:aws:logs:eu-central-1:{HOME}:log-group:grant-broker-RequestsLogs-0"}
ANOTHER_LOG = {"aws:logs:arn": "arn:aws:logs:eu-central-1:777788889999:log-group:grant-broker"}
_ACCOUNT = f"arn:aws:iam::{HOME}:root"
_ADMIN = {"Effect": "Allow", "Principal": {"AWS": _ACCOUNT}, "Action": "kms:PutKeyPolicy", "Resource": "*"}


def statements() -> list[dict[str, Any]]:
    """The output, read."""
    found: list[dict[str, Any]] = json.loads(template().outputs()["DataKeyStatements"])
    return found


def _stand_in(service: str) -> str:
    return f"arn:aws:iam::{HOME}:role/{service}"


def _by_stand_ins(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement with a role in each service's place: only IAM's principals call the local KMS."""
    named = statement["Principal"].get("Service", [])
    services = [named] if isinstance(named, str) else named
    return {**statement, "Principal": {"AWS": list(map(_stand_in, services))}} if services else statement


@pytest.fixture(scope="module")
def cloud() -> tuple[Cloud, str]:
    """A strict KMS with a key that has the statements, and the services' stand-ins, without IAM policies."""
    deployed()
    made = Cloud(lambda: NOW)
    for service in ("cloudwatch", "events", "logs.eu-central-1", "dynamodb", "s3", "sns", "sqs"):
        made.create_role(f"{service}.amazonaws.com", [])
    return made, made.create_key({"Statement": [_ADMIN, *map(_by_stand_ins, statements())]})


def _may_use(made: tuple[Cloud, str], service: str, context: dict[str, str]) -> str:
    """The operations that a service carries out under an encryption context."""
    cloud, key = made
    client = cloud.session(cloud.session_for(_stand_in(service), "s")).client("kms")
    root_sealed = _sealed(cloud, key, context)
    uses: dict[str, Any] = {
        "Encrypt": lambda: client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context),
        "GenerateDataKey": lambda: client.generate_data_key(
            KeyId=key, KeySpec="AES_256", EncryptionContext=context
        ),
        "Decrypt": lambda: client.decrypt(KeyId=key, CiphertextBlob=root_sealed, EncryptionContext=context),
        "DescribeKey": lambda: client.describe_key(KeyId=key),
        "CreateGrant": lambda: client.create_grant(
            KeyId=key, GranteePrincipal=_stand_in(service), Operations=["Decrypt"]
        ),
        "ScheduleKeyDeletion": lambda: client.schedule_key_deletion(KeyId=key),
    }
    return " ".join(name for name, use in uses.items() if _succeeds(use))


def _sealed(cloud: Cloud, key: str, context: dict[str, str]) -> bytes:
    """A ciphertext that somebody else made under the key: by a policy that is there for that call alone."""
    policy = cloud.kms.keys[key].policy
    cloud.put_key_policy(key, {"Statement": [{**_ADMIN, "Action": "kms:*"}]})
    client = cloud.session(cloud.root()).client("kms")
    sealed: bytes = client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    cloud.kms.keys[key].policy = policy
    return sealed


def _succeeds(use: Any) -> bool:
    try:
        use()
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDeniedException"  # noqa: PT017 - others are none
        return False
    return True


@pytest.mark.parametrize(
    ("service", "context", "may"),
    [
        ("cloudwatch.amazonaws.com", {}, "GenerateDataKey Decrypt"),
        ("events.amazonaws.com", {}, "GenerateDataKey Decrypt"),
        ("logs.eu-central-1.amazonaws.com", LOG, "Encrypt GenerateDataKey Decrypt"),
        ("logs.eu-central-1.amazonaws.com", ANOTHER_LOG, ""),
        ("logs.eu-central-1.amazonaws.com", {}, ""),
        ("dynamodb.amazonaws.com", {}, "DescribeKey"),
        # They call with the rights of whoever publishes or sends, and need none of their own.
        ("sns.amazonaws.com", {}, ""),
        ("sqs.amazonaws.com", {}, ""),
        ("s3.amazonaws.com", {}, ""),
    ],
)
def test_what_each_service_does_with_the_key(
    cloud: tuple[Cloud, str], service: str, context: dict[str, str], may: str
) -> None:
    """What its work needs, and nothing else; CloudWatch Logs for this account's logs alone."""
    assert _may_use(cloud, service, context) == may


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("service", ["dynamodb", "sns", "sqs", "s3", None])
def test_a_function_uses_the_key_through_its_services(role: str, service: str | None) -> None:
    """With these statements and its own role, where the key's policy says nothing else."""
    stack = deployed(DataKeyArn=KEY)
    via = {"kms:ViaService": f"{service}.eu-central-1.amazonaws.com"} if service else {}
    arn = stack.functions[role].role
    context: dict[str, object] = {"aws:PrincipalArn": arn, **via}

    def may(action: str, key_policy: list[dict[str, Any]]) -> bool:
        asked = Call(stack.credentials(role).arn, f"kms:{action}", KEY, context)
        document = {"Version": "2012-10-17", "Statement": key_policy}
        return decide_kms(asked, key_policy=document, identity_policies=policies(role, stack)).allowed

    wanted = service == "dynamodb" or (role == "events" and service in {"sns", "sqs"})
    assert may("Decrypt", statements()) is may("GenerateDataKey", statements()) is wanted
    assert not may("Decrypt", [_ADMIN])


def test_whoever_deploys_makes_the_tables_with_it_and_does_nothing_else() -> None:
    """DynamoDB grants itself the use of the key in the name of whoever makes a table."""
    deployer = f"arn:aws:iam::{HOME}:role/deployer"
    everything = {"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
    through = {"kms:ViaService": "dynamodb.eu-central-1.amazonaws.com", "kms:GrantIsForAWSResource": True}

    def may(**context: object) -> set[str]:
        return {
            action.removeprefix("kms:")
            for action in actions("kms")
            if decide_kms(
                Call(deployer, action, KEY, {"aws:PrincipalArn": deployer, **context}),
                key_policy={"Statement": statements()},
                identity_policies=[everything],
            ).allowed
        }

    assert {"CreateGrant", "DescribeKey", "GenerateDataKey"} <= may(**through)
    assert "CreateGrant" not in may(**{**through, "kms:GrantIsForAWSResource": False})
    assert may() == set()
