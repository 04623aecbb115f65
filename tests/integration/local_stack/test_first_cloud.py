"""The embedded AWS answers an unchanged boto3, and is strict about grants."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_stack.cloud import Cloud

NOW = datetime(2030, 1, 1, tzinfo=UTC)
_ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": "kms:*",
    "Resource": "*",
}
_DEFAULT = {"Version": "2012-10-17", "Statement": [_ROOT]}


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(lambda: NOW)


def _setting(cloud: Cloud) -> tuple[Any, str, dict[str, Any]]:
    partner, retiring = cloud.create_role("app", [], "444455556666"), cloud.create_role("expiry", [])
    key = cloud.create_key(_DEFAULT)
    parameters = {
        "KeyId": key,
        "GranteePrincipal": partner,
        "RetiringPrincipal": retiring,
        "Operations": ["Encrypt"],
        "Name": "n",
        "Constraints": {"EncryptionContextEquals": {"a": "b"}},
    }
    return cloud.session(cloud.root()).client("kms"), retiring, parameters


def _code(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def test_same_name_same_grant_and_retiring_principal_ends_it(cloud: Cloud) -> None:
    """A repeated CreateGrant gives the same grant, which only its retiring principal retires."""
    kms, retiring, wanted = _setting(cloud)
    made = kms.create_grant(**wanted)
    assert kms.create_grant(**wanted)["GrantId"] == made["GrantId"]
    assert [g["CreationDate"] for g in kms.list_grants(KeyId=wanted["KeyId"])["Grants"]] == [NOW]
    ended = {"KeyId": wanted["KeyId"], "GrantId": made["GrantId"]}
    stranger = cloud.session(cloud.session_for(cloud.create_role("stranger", []), "s")).client("kms")
    assert _code(stranger.retire_grant, **ended) == "AccessDeniedException"
    cloud.session(cloud.session_for(retiring, "s")).client("kms").retire_grant(**ended)
    assert cloud.grants(wanted["KeyId"]) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"DryRun": True}, "DryRunOperationException"),
        ({"Name": "a b"}, "ValidationException"),
        ({"GranteePrincipal": "arn:aws:iam::444455556666:role/nobody"}, "InvalidArnException"),
        (
            {"Constraints": {"EncryptionContextEquals": {"a": "b"}, "EncryptionContextSubset": {"a": "b"}}},
            "ValidationException",
        ),
    ],
)
def test_refused_create_grant_leaves_nothing(cloud: Cloud, changed: dict[str, Any], code: str) -> None:
    """A malformed or dry CreateGrant is refused with KMS's code and creates nothing."""
    kms, _, wanted = _setting(cloud)
    assert _code(kms.create_grant, **wanted | changed) == code
    assert cloud.grants(wanted["KeyId"]) == []


def test_deleted_role_shows_as_unique_id(cloud: Cloud) -> None:
    """A recreated role does not get its predecessor's grant."""
    kms, _, wanted = _setting(cloud)
    kms.create_grant(**wanted)
    cloud.delete_role(wanted["GranteePrincipal"])
    cloud.create_role("app", [], "444455556666")
    assert cloud.grants(wanted["KeyId"])[0]["GranteePrincipal"].startswith("AROA")


def test_wrong_secret_is_refused_and_dynamodb_answers(cloud: Cloud) -> None:
    """A signature by another secret is refused; a right one reaches DynamoDB and KMS's cryptography."""
    root = cloud.root()
    wrong = type(root)(root.arn, root.account, root.access_key_id, "x" * 40)
    assert _code(cloud.session(wrong).client("dynamodb").list_tables) == "InvalidSignatureException"
    assert cloud.session(root).client("dynamodb").list_tables()["TableNames"] == []
    kms, _, wanted = _setting(cloud)
    blob = kms.encrypt(KeyId=wanted["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"
