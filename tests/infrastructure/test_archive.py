"""The archive's bucket, and what anybody may do there: by the strict S3, both ways."""

import base64
import hashlib
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from grant_broker.policy_engine import decide
from tests.infrastructure.stack import NOW, ROLES, actions, call, deployed, policies, template
from tests.local_aws.cloud import Credentials
from tests.local_stack.deployment import Deployment

ON = {"Archive": "yes"}
KEY = "requests/2030/01/01/a.1.json"
SHA256 = base64.b64encode(hashlib.sha256(b"{}").digest()).decode()
_LOCKED = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": NOW}


def stack() -> Deployment:
    """The template with an archive, whose bucket holds one object."""
    made = deployed(**ON)
    for found in made.cloud.s3.buckets.values():
        found.objects.clear()
    _put(made, made.credentials("reconcile"), IfNoneMatch="*")
    return made


def _client(made: Deployment, who: Credentials) -> Any:
    config = Config(
        s3={"payload_signing_enabled": True},
        request_checksum_calculation="when_required",
        retries={"total_max_attempts": 1},
    )
    return made.cloud.session(who).client("s3", config=config)


def _bucket(made: Deployment) -> str:
    return str(made.template.reference("ArchiveBucket", None))


def _put(made: Deployment, who: Credentials, key: str = KEY, **more: Any) -> None:
    given = {"Body": b"{}", "ChecksumSHA256": SHA256, "ChecksumAlgorithm": "SHA256", **more}
    _client(made, who).put_object(Bucket=_bucket(made), Key=key, **given)


def _refusal(made: Deployment, who: Credentials, operation: str, **given: Any) -> str:
    with pytest.raises(ClientError) as error:
        getattr(_client(made, who), operation)(Bucket=_bucket(made), **given)
    return error.value.response["Error"]["Code"]


def test_there_is_none_unless_it_is_asked_for() -> None:
    """Neither bucket nor right: what is locked nobody takes back."""
    assert not list(template().named("AWS::S3::Bucket", "AWS::S3::BucketPolicy"))
    assert "ArchiveBucketName" not in template().outputs()
    assert template().functions()["reconcile"].environment["ARCHIVE_BUCKET"] == ""
    assert "s3:" not in template().outputs()["AuditorPolicy"]
    said = [statement["Sid"] for policy in policies("reconcile") for statement in policy["Statement"]]
    assert not {"Archive", "LeaveTables"} & set(said)


def test_the_bucket() -> None:
    """Locked, versioned, encrypted and nobody's but the account's; for as long as the parameters say."""
    made = template(**ON, ArchiveRetentionDays="30", ArchiveLockMode="COMPLIANCE")
    bucket = made.properties("ArchiveBucket")
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": "30"}},
    }
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert made.outputs()["ArchiveBucketName"] == made.reference("ArchiveBucket", None)
    assert made.functions()["reconcile"].environment["ARCHIVE_BUCKET"] == made.reference(
        "ArchiveBucket", None
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_this_there_and_nothing_else(role: str) -> None:
    """Of every action of S3 on bucket and objects: reconcile stores and reads, nobody else does anything."""
    made = deployed(**ON)
    arn = str(made.template.reference("ArchiveBucket", "Arn"))
    found = {
        (action, resource.removeprefix(arn))
        for action in actions("s3")
        for resource in (arn, f"{arn}/{KEY}", f"{arn}/other", "arn:aws:s3:::other/requests/a")
        if decide(call(role, action, resource), identity_policies=policies(role, made)).allowed
    }
    wanted = {("s3:GetObject", f"/{KEY}"), ("s3:PutObject", f"/{KEY}")}
    assert found == (wanted if role == "reconcile" else set())


def test_only_reconcile_deletes_and_only_requests() -> None:
    """DeleteItem on the request table, in the partitions of requests; on the approval table never."""
    made = deployed(**ON)
    tables = {name: str(made.template.reference(f"{name}Table", "Arn")) for name in ("Request", "Approval")}

    def may(role: str, table: str, *keys: str, stack: Deployment = made) -> bool:
        context = {"dynamodb:LeadingKeys": list(keys)}
        asked = call(role, "dynamodb:DeleteItem", tables[table], **context)
        return decide(asked, identity_policies=policies(role, stack)).allowed

    assert may("reconcile", "Request", "request#1")
    assert not may("reconcile", "Request", "request#1", stack=deployed())
    for key in ("check#1", "rate#1", "limit#1", "reconcile#grants", "review#1"):
        assert not may("reconcile", "Request", key)
    assert not may("reconcile", "Request", "request#1", "reconcile#grants")
    assert not may("reconcile", "Approval", "request#1")
    assert not any(may(role, "Request", "request#1") for role in ROLES if role != "reconcile")


def test_whoever_took_over_reconcile_changes_nothing_that_is_stored() -> None:
    """No second version, no shorter lock, no delete marker, no deletion, no other policy."""
    made = stack()
    who = made.credentials("reconcile")
    [version] = made.cloud.s3.buckets[_bucket(made)].objects[KEY]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        _put(made, who, IfNoneMatch="*")
    refused: list[tuple[str, dict[str, Any]]] = [
        ("put_object", {"Key": KEY, "Body": b"x"}),
        ("put_object", {"Key": "requests/b", "Body": b"x"}),
        ("put_object", {"Key": "requests/b", "Body": b"x", "IfNoneMatch": "*", **_LOCKED}),
        ("put_object", {"Key": "elsewhere", "Body": b"x", "IfNoneMatch": "*"}),
        ("delete_object", {"Key": KEY}),
        ("delete_object", {"Key": KEY, "VersionId": version.id}),
        ("delete_object", {"Key": KEY, "VersionId": version.id, "BypassGovernanceRetention": True}),
        ("put_object_retention", {"Key": KEY, "Retention": {"Mode": "GOVERNANCE"}}),
        ("put_bucket_policy", {"Policy": "{}"}),
        ("put_object_lock_configuration", {"ObjectLockConfiguration": {}}),
        ("delete_bucket", {}),
        ("list_objects_v2", {}),
    ]
    for operation, given in refused:
        assert _refusal(made, who, operation, **given) == "AccessDenied", (operation, given)
    assert made.cloud.s3.buckets[_bucket(made)].objects == {KEY: [version]}


def test_not_even_root_writes_over_hides_or_deletes() -> None:
    """The bucket's policy holds for everybody, and the lock for as long as it says."""
    made = stack()
    root = made.cloud.root()
    [version] = made.cloud.s3.buckets[_bucket(made)].objects[KEY]
    assert _refusal(made, root, "put_object", Key=KEY, Body=b"x") == "AccessDenied"
    assert _refusal(made, root, "delete_object", Key=KEY) == "AccessDenied"
    locked = {"Key": KEY, "VersionId": version.id}
    assert _refusal(made, root, "delete_object", **locked) == "AccessDenied"
    assert _refusal(made, root, "delete_object", **locked, BypassGovernanceRetention=True) == "AccessDenied"
    assert _client(made, root).get_object(Bucket=_bucket(made), Key=KEY)["Body"].read() == b"{}"


def test_tls_alone() -> None:
    """Nobody reads or writes without it."""
    made = deployed(**ON)
    policy = made.template.properties("ArchivePolicy")["PolicyDocument"]
    arn = f"{made.template.reference('ArchiveBucket', 'Arn')}/{KEY}"

    found = [
        decide(
            call("reconcile", "s3:GetObject", arn, **{"aws:SecureTransport": is_secure}),
            identity_policies=policies("reconcile", made),
            resource_policy=policy,
        ).allowed
        for is_secure in (True, False)
    ]
    assert found == [True, False]


def test_the_alarm_is_there_with_the_archive() -> None:
    """About the metric that reconcile tells of each pass."""
    assert "ArchiveAlarm" not in list(template().named("AWS::CloudWatch::Alarm"))
    assert "ArchiveAlarm" in list(template(**ON).named("AWS::CloudWatch::Alarm"))
    alarm = template(**ON).properties("ArchiveAlarm")
    assert (alarm["MetricName"], alarm["Threshold"]) == ("ArchiveFailures", 0)
