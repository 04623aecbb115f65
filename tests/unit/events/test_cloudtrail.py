"""CloudTrail's events of KMS, read as AWS's documentation shows them."""

import json
from typing import Any

import pytest

from grant_broker.domain.times import parse_time
from grant_broker.domain.usage import KeyCall
from grant_broker.events.cloudtrail import read_calls

KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TARGET = "arn:aws:kms:us-west-2:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321"
ALICE = "arn:aws:iam::111122223333:user/Alice"
# https://docs.aws.amazon.com/kms/latest/developerguide/ct-encrypt.html
ENCRYPT: dict[str, Any] = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "IAMUser",
        "principalId": "EX_PRINCIPAL_ID",
        "arn": ALICE,
        "accountId": "111122223333",
        "accessKeyId": "EXAMPLE_KEY_ID",
        "userName": "Alice",
    },
    "eventTime": "2025-05-20T20:46:16Z",
    "eventSource": "kms.amazonaws.com",
    "eventName": "Encrypt",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "192.0.2.0",
    "userAgent": "AWS Internal",
    "requestParameters": {
        "encryptionContext": {"Department": "Engineering"},
        "keyId": KEY,
        "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
    },
    "responseElements": None,
    "additionalEventData": {
        "keyMaterialId": "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"
    },
    "requestID": "f3423043-63bc-11e4-bc2b-4198b6150d5c",
    "eventID": "91235988-eb87-476a-ac2c-0cdc244e6dca",
    "readOnly": True,
    "resources": [{"ARN": KEY, "accountId": "111122223333"}],
    "eventType": "AwsApiCall",
    "managementEvent": True,
    "recipientAccountId": "111122223333",
}
# https://docs.aws.amazon.com/kms/latest/developerguide/ct-reencrypt.html
RE_ENCRYPT: dict[str, Any] = {
    **ENCRYPT,
    "eventTime": "2025-05-22T19:34:55Z",
    "eventName": "ReEncrypt",
    "requestParameters": {
        "sourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "sourceEncryptionContext": {"Project": "Alpha", "Department": "Engineering"},
        "destinationKeyId": "0987dcba-09fe-87dc-65ba-ab0987654321",
        "destinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "destinationEncryptionContext": {"Level": "3A"},
    },
    "eventID": "542d9e04-0e8d-4e05-bf4b-4bdeb032e6ec",
    "resources": [
        {"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": KEY},
        {"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": TARGET},
    ],
}


def read(detail: object) -> list[KeyCall]:
    """The calls in an event that EventBridge wraps so.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    """
    kind = "AWS API Call via CloudTrail"
    return read_calls(json.dumps({"detail-type": kind, "source": "aws.kms", "detail": detail}))


def test_encrypt() -> None:
    """Key, caller, operation, context and time are read; what else there is, is passed over."""
    assert read(ENCRYPT) == [
        KeyCall(
            event_id="91235988-eb87-476a-ac2c-0cdc244e6dca",
            at=parse_time("2025-05-20T20:46:16Z"),
            account="111122223333",
            principal=ALICE,
            principal_id="EX_PRINCIPAL_ID",
            key_arn=KEY,
            operation="Encrypt",
            encryption_context={"Department": "Engineering"},
        )
    ]


def test_another_account() -> None:
    """A principal of another account is its account and its id, where no ARN is told."""
    stranger = {"type": "AWSAccount", "principalId": "AROAEXAMPLE:job", "accountId": "444455556666"}
    [found] = read({**ENCRYPT, "userIdentity": stranger})
    assert (found.account, found.principal, found.principal_id) == ("444455556666", None, "AROAEXAMPLE:job")


def test_re_encrypt() -> None:
    """It reads with the first key and writes with the second, each with its own context."""
    found = [(each.key_arn, each.operation, each.encryption_context) for each in read(RE_ENCRYPT)]
    assert found == [
        (KEY, "ReEncryptFrom", {"Project": "Alpha", "Department": "Engineering"}),
        (TARGET, "ReEncryptTo", {"Level": "3A"}),
    ]


def test_re_encrypt_with_one_key_told() -> None:
    """Where only one of the keys is told it may be either side, but for the destination that is named."""
    source, target = RE_ENCRYPT["resources"]
    assert [each.operation for each in read({**RE_ENCRYPT, "resources": [source]})] == [
        "ReEncryptFrom",
        "ReEncryptTo",
    ]
    assert [each.operation for each in read({**RE_ENCRYPT, "resources": [target]})] == ["ReEncryptTo"]


def test_no_context_and_no_parameters() -> None:
    """Without a context there are no pairs."""
    [found] = read({**ENCRYPT, "requestParameters": None})
    assert found.encryption_context == {}


def test_a_call_that_failed_is_no_use() -> None:
    """What KMS refused was not done, also where the rule let it through."""
    assert read({**ENCRYPT, "errorCode": "AccessDenied"}) == []


@pytest.mark.parametrize(
    "body",
    [
        "not JSON",
        "{}",
        json.dumps({"detail": {**ENCRYPT, "eventSource": "s3.amazonaws.com"}}),
        json.dumps({"detail": {**ENCRYPT, "eventTime": "yesterday"}}),
        json.dumps({"detail": {**ENCRYPT, "userIdentity": {}}}),
    ],
)
def test_what_cannot_be_read(body: str) -> None:
    """What is no event of CloudTrail's about KMS is refused."""
    with pytest.raises(ValueError, match=r"\S"):
        read_calls(body)
