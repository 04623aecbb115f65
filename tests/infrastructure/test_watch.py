"""What others do around the broker is told: CloudTrail's events against the template's rules."""

import re
from typing import Any

import pytest

from tests.infrastructure.stack import ROLES, role_arn, template
from tests.local_stack.patterns import matches

HOME = "111122223333"
PLACE = f"eu-central-1:{HOME}"
KEY = f"arn:aws:kms:{PLACE}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
# The stack's roles by function, its tables, and their ARNs.
NAMES = {name: role_arn(name).rpartition("/")[2] for name in ROLES}
REQUESTS, APPROVALS = (template().reference(f"{name}Table", None) for name in ("Request", "Approval"))
REQUESTS_ARN, APPROVALS_ARN = (
    template().reference(f"{name}Table", "Arn") for name in ("Request", "Approval")
)
FENCES = template().reference("GranteeFences", None)
DATA_KEY = f"arn:aws:kms:{PLACE}:key/0d0d0d0d-0000-0000-0000-000000000000"
Event = dict[str, Any]

# Who calls, as CloudTrail shows them.
ROOT = {"type": "Root", "arn": f"arn:aws:iam::{HOME}:root", "accountId": HOME}
USER = {"type": "IAMUser", "arn": f"arn:aws:iam::{HOME}:user/Alice", "userName": "Alice"}
# The owner of the key hears of another account's principal by its id alone.
OTHER_ACCOUNT = {"type": "AWSAccount", "principalId": "AROA0123456789ABCDEF0:s", "accountId": "777788889999"}
SERVICE = {"type": "AWSService", "invokedBy": "dynamodb.amazonaws.com"}


def session(role: str, **more: Any) -> Event:
    """A session of a role."""
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{HOME}:role/{role}", "userName": role}
    arn = f"arn:aws:sts::{HOME}:assumed-role/{role.rpartition('/')[2]}/s"
    return {"type": "AssumedRole", "arn": arn, "sessionContext": {"sessionIssuer": issuer}, **more}


# A service that calls for somebody: a volume attached, a table made.
ON_BEHALF = session("app", invokedBy="ec2.amazonaws.com")
IMITATOR = session(f"other/{NAMES['requests']}")


def told(service: str, name: str, who: Event, parameters: Event | None, **more: Any) -> Event:
    """CloudTrail's event as EventBridge delivers it."""
    resources = [{"accountId": HOME, "type": "AWS::KMS::Key", "ARN": KEY}] if service == "kms" else []
    detail = {
        "eventSource": f"{service}.amazonaws.com", "eventName": name, "userIdentity": who, "readOnly": False,
        "requestParameters": parameters, "resources": resources, "eventType": "AwsApiCall", **more,
    }  # fmt: skip
    return {
        "source": f"aws.{service}", "detail-type": "AWS API Call via CloudTrail", "account": HOME,
        "region": "eu-central-1", "time": "2030-01-01T00:00:00Z", "detail": detail,
    }  # fmt: skip


def grant(who: Event, **more: Any) -> Event:
    """A CreateGrant."""
    parameters = {
        "keyId": KEY,
        "granteePrincipal": "arn:aws:iam::777788889999:root",
        "operations": ["Decrypt"],
    }
    return told("kms", "CreateGrant", who, parameters, **more)


def end(name: str, who: Event) -> Event:
    """A RetireGrant, of which CloudTrail shows no parameters, or a RevokeGrant."""
    return told("kms", name, who, None if name == "RetireGrant" else {"keyId": KEY, "grantId": "a" * 64})


def table(name: str, **parameters: Any) -> Event:
    """A change of a table."""
    return told("dynamodb", name, USER, parameters)


def role(name: str, **parameters: Any) -> Event:
    """A change of a role."""
    return told("iam", name, USER, parameters)


def key(name: str) -> Event:
    """A change of a key."""
    return told("kms", name, session("key-admin"), {"keyId": KEY})


CHANGES_OF_KEYS = (
    *("PutKeyPolicy", "DisableKey", "EnableKey", "ScheduleKeyDeletion", "CancelKeyDeletion"),
    *("ImportKeyMaterial", "DeleteImportedKeyMaterial", "ReplicateKey", "UpdatePrimaryRegion"),
)
CHANGES_OF_ROLES = (
    *("PutRolePolicy", "DeleteRolePolicy", "AttachRolePolicy", "DetachRolePolicy", "UpdateAssumeRolePolicy"),
    *("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "CreateRole", "DeleteRole"),
)
CHANGES_OF_TABLES = ("DeleteTable", "UpdateTable", "UpdateContinuousBackups", "UpdateTimeToLive")
# Event: the rule that tells it, or None.
EVENTS: dict[str, tuple[Event, str | None]] = {
    **{name: (key(name), "KeyChanged") for name in CHANGES_OF_KEYS},
    "a refused PutKeyPolicy": (
        told("kms", "PutKeyPolicy", USER, {"keyId": KEY}, errorCode="AccessDenied"), "KeyChanged"
    ),
    **{name: (key(name), None) for name in ("TagResource", "CreateKey", "UpdateKeyDescription", "Encrypt")},
    # Grants
    "requests grants": (grant(session(NAMES["requests"])), None),
    "a user grants": (grant(USER), "GrantsByOthers"),
    "the root user grants": (grant(ROOT), "GrantsByOthers"),
    "a role grants": (grant(session("app")), "GrantsByOthers"),
    "another function grants": (grant(session(NAMES["approvals"])), "GrantsByOthers"),
    "a role of the same name under a path grants": (grant(IMITATOR), "GrantsByOthers"),
    "another account grants": (grant(OTHER_ACCOUNT), "GrantsByOthers"),
    "a service grants": (grant(SERVICE), None),
    "a service grants for a role": (grant(ON_BEHALF), None),
    "a refused grant": (grant(USER, errorCode="AccessDenied"), None),
    "a grant that was only tried": (grant(USER, errorCode="DryRunOperationException"), None),
    **{
        f"expiry: {name}": (end(name, session(NAMES["expiry"])), None)
        for name in ("RetireGrant", "RevokeGrant")
    },
    **{f"a user: {name}": (end(name, USER), "GrantsByOthers") for name in ("RetireGrant", "RevokeGrant")},
    "requests: RevokeGrant": (end("RevokeGrant", session(NAMES["requests"])), "GrantsByOthers"),
    "a service: RetireGrant": (end("RetireGrant", SERVICE), None),
    "ListGrants": (told("kms", "ListGrants", USER, {"keyId": KEY}), None),
    # Tables
    **{
        f"{name} {each}": (table(name, tableName=each), "TableChanged")
        for name in CHANGES_OF_TABLES
        for each in (REQUESTS, APPROVALS, APPROVALS_ARN)
    },
    "a table's policy": (table("PutResourcePolicy", resourceArn=APPROVALS_ARN), "TableChanged"),
    "a stream's policy": (
        table("PutResourcePolicy", resourceArn=f"{REQUESTS_ARN}/stream/2030-01-01T00:00:00.000"),
        "TableChanged",
    ),
    "a table without its policy": (table("DeleteResourcePolicy", resourceArn=REQUESTS_ARN),
                                   "TableChanged"),
    "a copy of yesterday": (
        table("RestoreTableToPointInTime", sourceTableName=REQUESTS, targetTableName="copy"),
        "TableChanged",
    ),
    "a copy by ARN": (
        table("RestoreTableToPointInTime", sourceTableArn=APPROVALS_ARN, targetTableName="copy"),
        "TableChanged",
    ),
    "a backup put in its place": (
        table("RestoreTableFromBackup", targetTableName=APPROVALS,
              backupArn=f"arn:aws:dynamodb:{PLACE}:table/mine/backup/01"),
        "TableChanged",
    ),
    "a copy of its backup": (
        table("RestoreTableFromBackup", targetTableName="copy", backupArn=f"{APPROVALS_ARN}/backup/01"),
        "TableChanged",
    ),
    "another table": (table("UpdateTable", tableName=f"{REQUESTS}-2"), None),
    "another table's policy": (table("PutResourcePolicy", resourceArn=f"{REQUESTS_ARN}-2"), None),
    "a table is described": (table("DescribeTable", tableName=REQUESTS), None),
    # Roles
    **{
        f"{name} {each}": (role(name, roleName=NAMES[each]), "RoleChanged")
        for name in CHANGES_OF_ROLES
        for each in ROLES
    },
    "a role in capitals": (role("AttachRolePolicy", roleName=NAMES["requests"].swapcase()), "RoleChanged"),
    "another role": (role("AttachRolePolicy", roleName=f"{NAMES['requests']}-2"), None),
    "a policy of their roles": (role("CreatePolicyVersion", policyArn=FENCES), "RoleChanged"),
    "an older version of it": (role("SetDefaultPolicyVersion", policyArn=FENCES), "RoleChanged"),
    "another policy": (role("CreatePolicyVersion", policyArn=f"arn:aws:iam::{HOME}:policy/other"), None),
    "one of their policies attached elsewhere": (
        role("AttachRolePolicy", roleName="other", policyArn=FENCES), None
    ),
    "a role is read": (role("GetRole", roleName=NAMES["requests"]), None),
}  # fmt: skip


def _rules() -> dict[str, dict[str, Any]]:
    made = template(DataKeyArn=DATA_KEY)
    return {name: made.properties(name) for name in made.named("AWS::Events::Rule")}


@pytest.mark.parametrize(("event", "rule"), EVENTS.values(), ids=EVENTS)
def test_what_is_told(event: Event, rule: str | None) -> None:
    """Each event is told by its own rule alone, and what is the broker's or a service's own work by none."""
    telling = [name for name, found in _rules().items() if matches(found["EventPattern"], event)]
    assert telling == ([rule] if rule else [])


def test_only_what_cloudtrail_says_is_told() -> None:
    """Whoever may put events on the bus cannot raise a watch with an event of another kind."""
    event = grant(USER)
    for changed in (event | {"source": "aws.s3"}, event | {"detail-type": "Object Created"}):
        assert not any(matches(rule["EventPattern"], changed) for rule in _rules().values())


@pytest.mark.parametrize("name", _rules())
def test_a_rule_mails_and_alarms(name: str) -> None:
    """A mail says who did what; an alarm says that there was one, on the topic that nobody can flood."""
    rule, made = _rules()[name], template(DataKeyArn=DATA_KEY)
    assert rule.get("State", "ENABLED") == "ENABLED"
    [target] = rule["Targets"]
    queue = made.reference("MailQueue", "Arn")
    # As it is: what a mail says of it is said where all mails are made.
    assert target == {"Id": "security", "Arn": queue}
    [statement] = made.properties("MailQueuePolicy")["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", queue)
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert made.reference(name, "Arn") in statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    alarm = made.properties(f"{name}Alarm")
    assert alarm["Dimensions"] == [{"Name": "RuleName", "Value": made.reference(name, None)}]


def test_patterns_are_short_enough() -> None:
    """EventBridge takes patterns of 2,048 characters at most, whatever the stack is called."""
    for rule in _rules().values():
        text = re.sub(r"\s", "", str(rule["EventPattern"]))
        assert len(text.replace("grant-broker", "s" * 50)) <= 2048
