"""What AWS says of the account around a stack: reads alone, each one answer in values of our own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.config import Config
from botocore.exceptions import ClientError

from grant_broker.aws.clients import CreateClient

_READING = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 4, "mode": "standard"})
# Cost Explorer answers for all Regions from one.
_REGION_OF_COSTS = "us-east-1"
_PERIOD = 60  # seconds


class NotInStackError(Exception):
    """The stack does not say what every stack of the broker says; the words name it."""


@dataclass(frozen=True)
class Stack:
    """A CloudFormation stack as DescribeStacks shows it."""

    name: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    def get_output(self, name: str) -> str:
        """Get an output; NotInStackError."""
        if not self.outputs.get(name):
            raise NotInStackError(f"the stack has no output {name}")
        return self.outputs[name]

    def get_parameter(self, name: str) -> str:
        """Get a parameter's value; NotInStackError."""
        if name not in self.parameters:
            raise NotInStackError(f"the stack has no parameter {name}")
        return self.parameters[name]


@dataclass(frozen=True)
class Alarm:
    """A metric alarm: its present state, why it has it, and whom it tells while its actions are enabled."""

    name: str
    state: str
    reason: str
    enabled: bool
    tells: tuple[str, ...]


@dataclass(frozen=True)
class Trail:
    """A CloudTrail trail that applies to this Region."""

    name: str
    is_logging: bool
    keeps_management_writes: bool


class Account:
    """The account and Region of a session. botocore's errors pass."""

    def __init__(self, create_client: CreateClient) -> None:
        self._client = cache(lambda service: create_client(service, config=_READING))
        self._costs = cache(lambda: create_client("ce", config=_READING, region_name=_REGION_OF_COSTS))

    def get_stack(self, name: str) -> Stack:
        """Read a stack's status, outputs and parameters."""
        [found] = self._client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
        given = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
        return Stack(name, found["StackStatus"], outputs, given)

    def list_alarm_names(self, stack: str) -> list[str]:
        """List the alarms that CloudFormation made for a stack, deleted by hand or not."""
        pages = self._client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        resources = (each for page in pages for each in page["StackResourceSummaries"])
        wanted = "AWS::CloudWatch::Alarm"
        return [each["PhysicalResourceId"] for each in resources if each["ResourceType"] == wanted]

    def list_alarms(self, prefix: str) -> dict[str, Alarm]:
        """List the alarms whose names begin so, by name."""
        paginator = self._client("cloudwatch").get_paginator("describe_alarms")
        pages = paginator.paginate(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"])
        return {each["AlarmName"]: _alarm(each) for page in pages for each in page["MetricAlarms"]}

    def find_heartbeat(self, namespace: str, function: str, since: datetime, now: datetime) -> bool:
        """Tell whether a function has said that it lives, between two times."""
        found = self._client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName="Heartbeat",
            Dimensions=[{"Name": "service", "Value": function}],
            StartTime=since,
            # Whatever has come in the present minute counts.
            EndTime=now + timedelta(seconds=_PERIOD),
            Period=_PERIOD,
            Statistics=["Sum"],
        )
        return any(point["Sum"] > 0 for point in found["Datapoints"])

    def list_subscriptions(self, topic_arn: str) -> list[bool]:
        """List the subscriptions of a topic: of each whether it is confirmed."""
        paginator = self._client("sns").get_paginator("list_subscriptions_by_topic")
        pages = paginator.paginate(TopicArn=topic_arn)
        found = (each["SubscriptionArn"] for page in pages for each in page["Subscriptions"])
        return [arn.startswith("arn:") for arn in found]

    def find_trust(self, role_arn: str) -> dict[str, Any] | None:
        """Find who may assume a role: its trust policy; None where there is no such role."""
        try:
            role = self._client("iam").get_role(RoleName=role_arn.rpartition("/")[2])["Role"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchEntity":
                return None
            raise
        document = role["AssumeRolePolicyDocument"]
        read: dict[str, Any] = json.loads(unquote(document)) if isinstance(document, str) else document
        return read

    def list_trails(self) -> list[Trail]:
        """List the trails of this Region, those of all Regions and of the organisation among them."""
        cloudtrail = self._client("cloudtrail")
        found = cloudtrail.describe_trails(includeShadowTrails=True)["trailList"]
        return [
            Trail(
                each["Name"],
                cloudtrail.get_trail_status(Name=each["TrailARN"])["IsLogging"],
                _keeps_writes(cloudtrail.get_event_selectors(TrailName=each["TrailARN"])),
            )
            for each in found
        ]

    def list_quotas(self, service: str) -> dict[str, float]:
        """List the applied quotas of a service, by name."""
        pages = self._client("service-quotas").get_paginator("list_service_quotas")
        return {
            each["QuotaName"]: each["Value"]
            for page in pages.paginate(ServiceCode=service)
            for each in page["Quotas"]
        }

    def find_cost(self, stack: str, now: datetime) -> float | None:
        """Find what a stack cost yesterday (UTC), in USD; None where nothing is booked under its name.

        The call itself costs 0.01 USD.
        """
        day = now.date()
        answer = self._costs().get_cost_and_usage(
            TimePeriod={"Start": (day - timedelta(days=1)).isoformat(), "End": day.isoformat()},
            Granularity="DAILY",
            Metrics=["UnblendedCost"],
            Filter={"Tags": {"Key": "aws:cloudformation:stack-name", "Values": [stack]}},
        )
        costs = [float(each["Total"]["UnblendedCost"]["Amount"]) for each in answer["ResultsByTime"]]
        return sum(costs) or None


def _alarm(found: Mapping[str, Any]) -> Alarm:
    return Alarm(
        found["AlarmName"],
        found["StateValue"],
        found.get("StateReason", ""),
        found["ActionsEnabled"],
        tuple(found.get("AlarmActions", [])),
    )


def _keeps_writes(selectors: Mapping[str, Any]) -> bool:
    """Whether a trail keeps the management events that write, KMS's among them.

    Advanced selectors take an event by fields; here those count that take every management event, or all
    that are no reads.
    """
    basic = any(
        each.get("IncludeManagementEvents")
        and each.get("ReadWriteType") != "ReadOnly"
        and "kms.amazonaws.com" not in each.get("ExcludeManagementEventSources", [])
        for each in selectors.get("EventSelectors", [])
    )
    return basic or any(
        _takes_writes({field["Field"]: field for field in each["FieldSelectors"]})
        for each in selectors.get("AdvancedEventSelectors", [])
    )


def _takes_writes(fields: Mapping[str, Any]) -> bool:
    only_reads = "true" in fields.get("readOnly", {}).get("Equals", [])
    other = set(fields) - {"eventCategory", "readOnly"}
    return fields["eventCategory"].get("Equals") == ["Management"] and not only_reads and not other
