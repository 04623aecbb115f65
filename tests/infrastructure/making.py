"""What AWS does with one resource of the transformed template, on the local AWS, or refuses to do.

Roles, policies, tables, queues, topics, keys and aliases are really made. Of all others only what they refer
to is looked at, and of functions and event sources the rights that AWS asks of their role.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from grant_broker.policy_engine import Call, decide
from tests.local_aws.cloud import Cloud

Properties = Mapping[str, Any]


class RefusedError(Exception):
    """AWS would not make a resource, or not delete it; the words say why."""


@dataclass
class Made:
    """A resource that stands: what Ref and GetAtt give, and the properties that it was made with."""

    kind: str
    name: str
    ref: str
    arn: str
    given: Properties
    attributes: Mapping[str, str] = field(default_factory=dict)

    def get(self, attribute: str | None) -> str:
        """What a reference to it is."""
        if attribute is None:
            return self.ref
        return {"Arn": self.arn, "QueueName": self.name, **self.attributes}[attribute]


class Account:
    """An account of the local AWS with what stands in it, by physical name."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.place = f"{cloud.region}:{cloud.home}"
        self.standing: dict[str, Made] = {}

    def client(self, service: Any) -> Any:
        """A client with every right, as whoever deploys may have."""
        return self.cloud.session(self.cloud.root()).client(service)

    def make(self, kind: str, name: str, given: Properties) -> Made:
        """Make a resource. RefusedError where AWS would refuse it."""
        if name in self.standing:
            raise RefusedError(f"{name} already exists")
        try:
            made = _MAKERS.get(kind, _record)(self, kind, name, given)
        except ClientError as error:
            raise RefusedError(str(error)) from error
        self.standing[name] = made
        return made

    def change(self, made: Made, given: Properties) -> None:
        """Give a resource other properties. RefusedError where this account cannot."""
        if made.kind == "AWS::IAM::ManagedPolicy":
            _attach(self, made.ref, given)
        elif made.kind in _MAKERS and made.kind not in _CHECKED_ALONE:
            raise RefusedError(f"no update of {made.kind} is expected: {made.name}")
        made.given = given

    def delete(self, made: Made) -> None:
        """Delete a resource. RefusedError where AWS would refuse."""
        try:
            if made.kind in _DELETERS:
                _DELETERS[made.kind](self, made)
        except ClientError as error:
            raise RefusedError(str(error)) from error
        del self.standing[made.name]

    def require(self, role_arn: str, actions: Iterable[str], resource: str) -> None:
        """RefusedError unless a role's policies, as they stand, allow it these actions."""
        policies = self.cloud.directory.principals[role_arn].policies
        for action in actions:
            call = Call(role_arn, action, resource, {"aws:PrincipalArn": role_arn})
            if not decide(call, identity_policies=policies).allowed:
                raise RefusedError(f"{role_arn} may not {action} on {resource}")


def _record(account: Account, kind: str, name: str, given: Properties) -> Made:
    """A resource of which nothing but its being there matters here."""
    service = kind.split("::")[1].lower()
    arns = {
        "AWS::Events::Rule": f"arn:aws:events:{account.place}:rule/{name}",
        "AWS::Lambda::Function": f"arn:aws:lambda:{account.place}:function:{name}",
        "AWS::Logs::LogGroup": f"arn:aws:logs:{account.place}:log-group:{name}:*",
    }
    attributes = {"RegionalDomainName": f"d-{name}", "RegionalHostedZoneId": f"Z{len(name)}"}
    return Made(
        kind, name, name, arns.get(kind, f"arn:aws:{service}:{account.place}:{name}"), given, attributes
    )


def _role(account: Account, kind: str, name: str, given: Properties) -> Made:
    policies = [policy["PolicyDocument"] for policy in given.get("Policies", [])]
    arn = account.cloud.create_role(name, policies)
    return Made(kind, name, name, arn, given)


def _managed_policy(account: Account, kind: str, name: str, given: Properties) -> Made:
    arn = f"arn:aws:iam::{account.cloud.home}:policy/{name}"
    _attach(account, arn, given)
    return Made(kind, name, arn, arn, given)


def _attach(account: Account, arn: str, given: Properties) -> None:
    account.cloud.directory.managed[arn] = given["PolicyDocument"]
    for role in given.get("Roles", []):
        found = account.cloud.directory.role(account.cloud.home, role)
        if found is None:
            raise RefusedError(f"there is no role {role}")
        found.attach(arn, given["PolicyDocument"])


def _table(account: Account, kind: str, name: str, given: Properties) -> Made:
    wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    parameters = {prop: given[prop] for prop in (*wanted, "DeletionProtectionEnabled")}
    if stream := given.get("StreamSpecification"):
        parameters["StreamSpecification"] = {"StreamEnabled": True, **stream}
    made = account.client("dynamodb").create_table(TableName=name, **parameters)["TableDescription"]
    return Made(kind, name, name, made["TableArn"], given, {"StreamArn": made.get("LatestStreamArn", "")})


def _queue(account: Account, kind: str, name: str, given: Properties) -> Made:
    url = account.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return Made(kind, name, url, f"arn:aws:sqs:{account.place}:{name}", given)


def _topic(account: Account, kind: str, name: str, given: Properties) -> Made:
    arn = account.client("sns").create_topic(Name=name)["TopicArn"]
    return Made(kind, name, arn, arn, given)


def _key(account: Account, kind: str, name: str, given: Properties) -> Made:
    # The strict KMS refuses a policy that names a principal which does not stand.
    made = account.client("kms").create_key(
        Policy=json.dumps(given["KeyPolicy"]), BypassPolicyLockoutSafetyCheck=True
    )["KeyMetadata"]
    return Made(kind, name, made["KeyId"], made["Arn"], given)


def _alias(account: Account, kind: str, name: str, given: Properties) -> Made:
    account.client("kms").create_alias(AliasName=given["AliasName"], TargetKeyId=given["TargetKeyId"])
    return Made(kind, name, given["AliasName"], given["AliasName"], given)


def _function(account: Account, kind: str, name: str, given: Properties) -> Made:
    """Lambda refuses a function whose role may not write the traces that it is to write."""
    made = _record(account, kind, name, given)
    account.require(given["Role"], ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*")
    group = given["LoggingConfig"]["LogGroup"]
    log = f"arn:aws:logs:{account.place}:log-group:{group}:log-stream:one"
    account.require(given["Role"], ["logs:CreateLogStream", "logs:PutLogEvents"], log)
    return made


_READING = {
    "dynamodb": ("GetRecords", "GetShardIterator", "DescribeStream"),
    "sqs": ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
}


def _event_source(account: Account, kind: str, name: str, given: Properties) -> Made:
    """Lambda refuses a source that the function's role may not read, or a destination it may not write."""
    role = account.standing[given["FunctionName"]].given["Role"]
    source = given["EventSourceArn"]
    service = source.split(":")[2]
    account.require(role, [f"{service}:{action}" for action in _READING[service]], source)
    failed = given.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if failed:
        account.require(role, ["sqs:SendMessage"], failed)
    return _record(account, kind, name, given)


_MAKERS: Mapping[str, Callable[[Account, str, str, Properties], Made]] = {
    "AWS::IAM::Role": _role,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::DynamoDB::Table": _table,
    "AWS::SQS::Queue": _queue,
    "AWS::SNS::Topic": _topic,
    "AWS::KMS::Key": _key,
    "AWS::KMS::Alias": _alias,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::EventSourceMapping": _event_source,
}
_CHECKED_ALONE = {"AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping"}
_DELETERS: Mapping[str, Callable[[Account, Made], object]] = {
    "AWS::IAM::Role": lambda account, made: account.cloud.delete_role(made.arn),
    "AWS::DynamoDB::Table": lambda account, made: account.client("dynamodb").delete_table(
        TableName=made.name
    ),
    "AWS::SQS::Queue": lambda account, made: account.client("sqs").delete_queue(QueueUrl=made.ref),
    "AWS::SNS::Topic": lambda account, made: account.client("sns").delete_topic(TopicArn=made.arn),
    "AWS::KMS::Key": lambda account, made: account.client("kms").schedule_key_deletion(KeyId=made.ref),
    "AWS::KMS::Alias": lambda account, made: account.client("kms").delete_alias(AliasName=made.ref),
}
