"""Which IAM actions a call to DynamoDB, SNS, SQS, EventBridge, CloudWatch or Logs needs, and on what."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.local_aws.answers import AwsError

Need = tuple[str, str]
"""An action and a resource's ARN, `*` where the action has none."""
_IAM_PREFIX = {"monitoring": "cloudwatch"}
_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_NAMELESS = frozenset({"ListTables", "ListStreams", "DescribeLimits", "DescribeEndpoints"})


@dataclass(frozen=True)
class Place:
    """Where a name is looked up: the caller's account and the Region."""

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """An ARN here, unless the name is one already."""
        return resource if resource.startswith("arn:") else self._made(service, resource)

    def _made(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def table(self, name: str) -> str:
        """A table's ARN."""
        return name if name.startswith("arn:") else self._made("dynamodb", f"table/{name}")


def needs(service: str, operation: str, parameters: Mapping[str, Any], place: Place) -> list[Need]:
    """All that the caller must be allowed. Raises ValidationException where the parameters are malformed."""
    try:
        found = list(_NEEDS.get(service, _general)(operation, parameters, place))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise AwsError("ValidationException", f"The parameters of {operation} are malformed") from error
    if not all(isinstance(resource, str) for _, resource in found):
        raise AwsError("ValidationException", f"The parameters of {operation} are malformed")
    prefix = _IAM_PREFIX.get(service, service)
    # An operation that names nothing may still do something: it needs the action on everything.
    return [(f"{prefix}:{action}", resource) for action, resource in found or [(operation, "*")]]


def _general(operation: str, parameters: Mapping[str, Any], place: Place) -> Iterator[Need]:
    del parameters, place
    yield operation, "*"


def _dynamodb(operation: str, given: Mapping[str, Any], place: Place) -> Iterator[Need]:
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in given["TransactItems"]:
            for kind, one in item.items():
                yield _TRANSACTION[kind], place.table(one["TableName"])
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table in given["RequestItems"]:
            yield operation, place.table(table)
    elif operation in ("DescribeStream", "GetShardIterator", "GetRecords"):
        # moto's iterators begin with the stream's ARN; AWS's hold it sealed.
        named = "ShardIterator" if operation == "GetRecords" else "StreamArn"
        yield operation, given[named].split("|")[0]
    elif operation not in _NAMELESS:
        yield from _on_table(operation, given, place)


def _on_table(operation: str, given: Mapping[str, Any], place: Place) -> Iterator[Need]:
    index = given.get("IndexName") if operation in ("Query", "Scan") else None
    if "TableName" in given:
        yield operation, place.table(given["TableName"]) + (f"/index/{index}" if index else "")
    if "ResourceArn" in given:
        yield operation, given["ResourceArn"]


def _sns(operation: str, given: Mapping[str, Any], place: Place) -> Iterator[Need]:
    if operation == "CreateTopic":
        yield operation, place.arn("sns", given["Name"])
    else:
        # moto takes the first that suits it, so the caller needs the right on all.
        named = ("TopicArn", "TargetArn", "SubscriptionArn", "ResourceArn")
        yield from ((operation, given[name]) for name in named if name in given)
        if "PhoneNumber" in given:
            yield operation, "*"


def _sqs(operation: str, given: Mapping[str, Any], place: Place) -> Iterator[Need]:
    if operation in ("CreateQueue", "GetQueueUrl"):
        yield operation, place.arn("sqs", given["QueueName"])
    elif "QueueUrl" in given:
        owner, name = given["QueueUrl"].split("/")[-2:]
        yield operation, Place(owner, place.region).arn("sqs", name)


def _events(operation: str, given: Mapping[str, Any], place: Place) -> Iterator[Need]:
    if operation == "PutEvents":
        for entry in given["Entries"]:
            bus = entry.get("EventBusName") or "default"
            yield operation, bus if bus.startswith("arn:") else place.arn("events", f"event-bus/{bus}")
    elif "Rule" in given or "Name" in given:
        yield operation, place.arn("events", f"rule/{given.get('Rule') or given['Name']}")


def _logs(operation: str, given: Mapping[str, Any], place: Place) -> Iterator[Need]:
    if "logGroupName" in given:
        stream = f":log-stream:{given['logStreamName']}" if "logStreamName" in given else ""
        yield operation, place.arn("logs", f"log-group:{given['logGroupName']}{stream or ':*'}")


_NEEDS: dict[str, Callable[[str, Mapping[str, Any], Place], Iterator[Need]]] = {
    "dynamodb": _dynamodb,
    "sns": _sns,
    "sqs": _sqs,
    "events": _events,
    "logs": _logs,
}
