"""What is stored is encrypted, recoverable, and kept as long as it must be."""

import pytest

from tests.infrastructure.stack import template

DATA_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0d0d0d-0000-0000-0000-000000000000"
TABLES = ("RequestTable", "ApprovalTable")
KEPT = {
    *("RequestTable", "ApprovalTable", "ArchiveBucket", "ExpiryRole", "PartnerDataKey"),
    *("FailedEvents", "ApiLogs"),
    *(f"{name}Logs" for name in ("Requests", "Approvals", "Expiry", "Reconcile", "Events")),
}


@pytest.mark.parametrize("name", TABLES)
def test_table(name: str) -> None:
    """On-demand, recoverable to any second, protected from deletion when asked for, encrypted with KMS."""
    table = template().properties(name)
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is False
    assert template(DeletionProtection="yes").properties(name)["DeletionProtectionEnabled"] is True
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    own = template(DataKeyArn=DATA_KEY).properties(name)["SSESpecification"]
    assert own["KMSMasterKeyId"] == DATA_KEY


def test_the_request_table_streams_both_images() -> None:
    """A transition shows only in the old image beside the new one. The approval table needs no stream."""
    view = {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert template().properties("RequestTable")["StreamSpecification"] == view
    assert "StreamSpecification" not in template().properties("ApprovalTable")


def test_attributes_are_those_of_keys() -> None:
    """DynamoDB refuses a table that defines an attribute which no key uses."""
    for name in TABLES:
        table = template().properties(name)
        schemas = [table["KeySchema"], *(index["KeySchema"] for index in table["GlobalSecondaryIndexes"])]
        used = {key["AttributeName"] for schema in schemas for key in schema}
        assert {entry["AttributeName"] for entry in table["AttributeDefinitions"]} == used


def test_what_must_outlive_the_stack_is_kept() -> None:
    """Deleting or replacing the stack leaves records, logs, the key and the retiring role.

    A creation that fails leaves nothing, so that the next one begins from nothing.
    """
    kept = ("RetainExceptOnCreate", "Retain")
    for name, resource in template().document["Resources"].items():
        policies = (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        assert policies == (kept if name in KEPT else (None, None)), name


def test_logs() -> None:
    """Each function writes to its own group, kept for 400 days, under the operator's key if there is one."""
    groups = {
        name: template().properties(name)
        for name in template(ApiAccessLogs="yes").named("AWS::Logs::LogGroup")
    }
    assert {group["RetentionInDays"] for group in groups.values()} == {400}
    for function in template().functions().values():
        name = template().properties(function.logical_id)["LoggingConfig"]["LogGroup"]
        assert name == template().reference(f"{function.name.title()}Logs", None)
    keyed = template(DataKeyArn=DATA_KEY)
    assert all(keyed.properties(name)["KmsKeyId"] == DATA_KEY for name in groups)


def test_queues_and_topics_are_encrypted() -> None:
    """By SQS's own key, or the operator's. SNS's own key would shut CloudWatch's alarms out: it has none."""
    keyed = template(DataKeyArn=DATA_KEY)
    for name in ("FailedEvents", "MailQueue"):
        assert template().properties(name)["SqsManagedSseEnabled"] is True
        assert template().properties(name)["MessageRetentionPeriod"] == 14 * 86_400
        assert keyed.properties(name)["KmsMasterKeyId"] == DATA_KEY
    for name in ("AlarmTopic", "MailTopic"):
        assert "KmsMasterKeyId" not in template().properties(name)
        assert keyed.properties(name)["KmsMasterKeyId"] == DATA_KEY


def test_the_key_rotates_and_waits_longest_before_it_is_gone() -> None:
    """A key that is deleted takes all it encrypted with it."""
    key = template().properties("PartnerDataKey")
    assert key["EnableKeyRotation"] is True
    assert key["PendingWindowInDays"] == 30
