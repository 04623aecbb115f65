"""The founding scenario on the template's own key and roles: each cell of who may and who may not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.integration.local_aws.world import DENIED, PARTNER, START, code, policy, statement
from tests.local_aws.clients import client_of
from tests.local_aws.cloud import Cloud
from tests.local_stack.deployment import Deployment

CONTEXT = {"tenant": "444455556666", "purpose": "nightly"}


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """The template, deployed once: each test leaves key and roles as it found them."""
    yield Deployment.create(Cloud(lambda: START))
    moto_api_backend.reset()


@pytest.fixture
def key(deployment: Deployment) -> Iterator[str]:
    """The key of the scenario, with its policy and its reader's policies put back and its grants ended."""
    arn, reader = deployment.keys["partner_data"], _reader(deployment)
    before = json.loads(_kms(deployment, "root").get_key_policy(KeyId=arn)["Policy"])
    inline, attached = dict(reader.inline), dict(reader.attached)
    yield arn
    deployment.cloud.put_key_policy(arn, before)
    reader.replace([])
    for name, document in inline.items():
        reader.put(name, document)
    for name, document in attached.items():
        reader.attach(name, document)
    for grant in deployment.cloud.grants(arn):
        _kms(deployment, "root").revoke_grant(KeyId=arn, GrantId=grant["GrantId"])


def _kms(deployment: Deployment, who: str) -> Any:
    return deployment.cloud.session(deployment.people[who].credentials).client("kms")


def _function(deployment: Deployment, name: str, service: str = "kms") -> Any:
    return client_of(deployment.cloud.session(deployment.credentials(name)), service)


def _reader(deployment: Deployment) -> Any:
    return deployment.cloud.directory.principals[deployment.people["data_reader"].grantee or ""]


def _blob(deployment: Deployment, key: str) -> Any:
    made = _kms(deployment, "root").encrypt(KeyId=key, Plaintext=b"data", EncryptionContext=CONTEXT)
    return made["CiphertextBlob"]


def _wanted(deployment: Deployment, key: str, **changes: Any) -> dict[str, Any]:
    given = {
        "KeyId": key,
        "GranteePrincipal": deployment.people["partner"].grantee,
        "RetiringPrincipal": deployment.functions["expiry"].role,
        "Operations": ["Encrypt"],
        "Constraints": {"EncryptionContextEquals": CONTEXT},
    } | changes
    return {name: value for name, value in given.items() if value is not None}


def _read(deployment: Deployment, key: str) -> str:
    decrypt = _kms(deployment, "data_reader").decrypt
    return code(decrypt, CiphertextBlob=_blob(deployment, key), EncryptionContext=CONTEXT)


def test_reader(deployment: Deployment, key: str) -> None:
    """The EC2 role decrypts and does nothing else with the key."""
    assert _read(deployment, key) == ""
    kms = _kms(deployment, "data_reader")
    assert code(kms.encrypt, KeyId=key, Plaintext=b"p", EncryptionContext=CONTEXT) == DENIED
    assert code(kms.generate_data_key, KeyId=key, KeySpec="AES_256") == DENIED


def test_reader_without_iam_policy(deployment: Deployment, key: str) -> None:
    """Its managed policy detached by root through IAM, the EC2 role is refused."""
    iam = deployment.cloud.session(deployment.people["root"].credentials).client("iam")
    name = _reader(deployment).name
    for found in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=found["PolicyArn"])
    assert _read(deployment, key) == DENIED


def test_reader_without_key_policy_statement(deployment: Deployment, key: str) -> None:
    """Its statement taken out of the key policy by a key administrator, the EC2 role is refused."""
    kms = _kms(deployment, "key_admin")
    document = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    document["Statement"] = [each for each in document["Statement"] if each["Sid"] != "DataReader"]
    kms.put_key_policy(KeyId=key, Policy=json.dumps(document))
    assert _read(deployment, key) == DENIED


def test_default_key_policy(deployment: Deployment, key: str) -> None:
    """AWS's default key policy would let any role of the account in whose IAM policy says so."""
    made = _kms(deployment, "key_admin").create_key()["KeyMetadata"]["Arn"]
    reader = _reader(deployment)
    reader.put("any", policy(statement("kms:*")))
    assert _read(deployment, made) == ""
    kms = _kms(deployment, "data_reader")
    assert code(kms.encrypt, KeyId=made, Plaintext=b"p") == ""
    assert code(kms.encrypt, KeyId=key, Plaintext=b"p") == DENIED


def test_administrator(deployment: Deployment, key: str) -> None:
    """A key administrator manages the key, ends grants and cannot use the key, whatever IAM allows."""
    kms, blob = _kms(deployment, "key_admin"), _blob(deployment, key)
    assert code(kms.encrypt, KeyId=key, Plaintext=b"p") == DENIED
    assert code(kms.decrypt, CiphertextBlob=blob, EncryptionContext=CONTEXT) == DENIED
    assert code(kms.generate_data_key, KeyId=key, KeySpec="AES_256") == DENIED
    re_encrypt = {"CiphertextBlob": blob, "SourceEncryptionContext": CONTEXT, "DestinationKeyId": key}
    assert code(kms.re_encrypt, **re_encrypt) == DENIED
    assert code(kms.create_grant, **_wanted(deployment, key)) == DENIED
    assert code(kms.describe_key, KeyId=key) == code(kms.list_grants, KeyId=key) == ""
    assert code(kms.disable_key, KeyId=key) == code(kms.enable_key, KeyId=key) == ""
    grant = _kms(deployment, "root").create_grant(**_wanted(deployment, key))["GrantId"]
    assert code(kms.revoke_grant, KeyId=key, GrantId=grant) == ""


def test_third_party(deployment: Deployment, key: str) -> None:
    """The third party is refused, then encrypts with the agreed context alone, then is refused again."""
    kms, given = _kms(deployment, "partner"), {"KeyId": key, "Plaintext": b"p"}
    assert code(kms.encrypt, **given, EncryptionContext=CONTEXT) == DENIED
    grant = _function(deployment, "requests").create_grant(**_wanted(deployment, key))
    blob = kms.encrypt(**given, EncryptionContext=CONTEXT)["CiphertextBlob"]
    assert code(kms.encrypt, **given, EncryptionContext=CONTEXT | {"more": "x"}) == DENIED
    assert code(kms.encrypt, **given) == DENIED
    assert code(kms.decrypt, CiphertextBlob=blob, EncryptionContext=CONTEXT) == DENIED
    for other in ("partner_colleague", "other_partner", "outsider", "alice"):
        assert code(_kms(deployment, other).encrypt, **given, EncryptionContext=CONTEXT) == DENIED
    opened = _kms(deployment, "data_reader").decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)
    assert opened["Plaintext"] == b"p"
    ended = {"KeyId": key, "GrantId": grant["GrantId"]}
    assert code(kms.retire_grant, **ended) == code(kms.revoke_grant, **ended) == DENIED
    _function(deployment, "expiry").retire_grant(**ended)
    assert code(kms.encrypt, **given, EncryptionContext=CONTEXT) == DENIED


def test_requests_taken_over(deployment: Deployment, key: str) -> None:
    """Whoever has the issuing role's credentials stays inside its fences."""
    kms = _function(deployment, "requests")
    assert code(kms.create_grant, **_wanted(deployment, key)) == ""
    subset = {"EncryptionContextSubset": CONTEXT}
    assert code(kms.create_grant, **_wanted(deployment, key, Constraints=subset)) == ""
    refused: list[dict[str, Any]] = [
        {"Operations": ["Decrypt"]},
        {"Operations": ["Encrypt", "Decrypt"]},
        {"Operations": ["Encrypt", "CreateGrant"]},
        {"Operations": ["RetireGrant"]},
        {"Constraints": None},
        {"RetiringPrincipal": None},
        {"RetiringPrincipal": deployment.functions["requests"].role},
        {"RetiringPrincipal": deployment.people["partner"].grantee},
        {"GranteePrincipal": deployment.people["outsider"].grantee},
        {"GranteePrincipal": f"arn:aws:iam::{PARTNER}:root"},
    ]
    for changes in refused:
        assert code(kms.create_grant, **_wanted(deployment, key, **changes)) == DENIED, changes
    assert code(kms.encrypt, KeyId=key, Plaintext=b"p", EncryptionContext=CONTEXT) == DENIED
    grant = deployment.cloud.grants(key)[0]["GrantId"]
    assert code(kms.revoke_grant, KeyId=key, GrantId=grant) == DENIED
    assert code(kms.retire_grant, KeyId=key, GrantId=grant) == DENIED
    assert code(kms.put_key_policy, KeyId=key, Policy="{}") == DENIED


@pytest.mark.parametrize("function", ["approvals", "reconcile", "events", "expiry"])
def test_others_taken_over(deployment: Deployment, key: str, function: str) -> None:
    """No other function creates a grant or uses the key, and expiry alone ends one."""
    grant = _kms(deployment, "root").create_grant(**_wanted(deployment, key))["GrantId"]
    kms, ends = _function(deployment, function), function == "expiry"
    assert code(kms.create_grant, **_wanted(deployment, key)) == DENIED
    assert code(kms.encrypt, KeyId=key, Plaintext=b"p", EncryptionContext=CONTEXT) == DENIED
    assert code(kms.list_grants, KeyId=key) == ("" if function != "events" else DENIED)
    assert code(kms.retire_grant, KeyId=key, GrantId=grant, DryRun=True) == (
        "DryRunOperationException" if ends else DENIED
    )
    assert code(kms.revoke_grant, KeyId=key, GrantId=grant) == ("" if ends else DENIED)


@pytest.mark.parametrize(
    ("function", "table", "allowed"),
    [
        ("requests", "request_table", True),
        ("requests", "approval_table", False),
        ("approvals", "approval_table", True),
        ("expiry", "approval_table", False),
        ("expiry", "request_table", True),
        ("reconcile", "approval_table", False),
        ("events", "request_table", False),
    ],
)
def test_tables(deployment: Deployment, function: str, table: str, allowed: bool) -> None:  # noqa: FBT001
    """Approvals alone writes the approval table; each function writes what its role says."""
    dynamodb = _function(deployment, function, "dynamodb")
    item = {"pk": {"S": "probe"}, "sk": {"S": function}}
    name = getattr(deployment, table)
    assert code(dynamodb.put_item, TableName=name, Item=item) == ("" if allowed else DENIED)
    assert code(dynamodb.delete_table, TableName=name) == DENIED
