"""Which IAM actions a call to DynamoDB, SNS, SQS, EventBridge, CloudWatch or Logs needs, and on what."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.local_aws.answers import AwsError


class Need(NamedTuple):
    """An action on a resource's ARN, `*` where the action has none, and the partition keys that it names."""

    action: str
    resource: str
    leading_keys: tuple[str, ...] = ()
    select: str | None = None
    attributes: tuple[str, ...] = ()

    @property
    def context(self) -> dict[str, object]:
        """What the request context says of it besides."""
        given = {
            "dynamodb:LeadingKeys": list(self.leading_keys),
            "dynamodb:Select": self.select,
            "dynamodb:Attributes": list(self.attributes),
        }
        return {name: value for name, value in given.items() if value}


# The partition key of every table here.
_PARTITION = "pk"
_IAM_PREFIX = {"monitoring": "cloudwatch"}
_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
# A name at the top of a path in an expression: no value, no part of another attribute, no function.
_NAME = re.compile(r"(?<![:.#\w])#?[A-Za-z_]\w*(?!\w|\s*\()")
_WORDS = {"AND", "OR", "NOT", "IN", "BETWEEN"}
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
    if not all(isinstance(need.resource, str) for need in found):
        raise AwsError("ValidationException", f"The parameters of {operation} are malformed")
    prefix = _IAM_PREFIX.get(service, service)
    # An operation that names nothing may still do something: it needs the action on everything.
    return [need._replace(action=f"{prefix}:{need.action}") for need in found or [Need(operation, "*")]]


def _general(operation: str, parameters: Mapping[str, Any], place: Place) -> Iterator[Need]:
    del parameters, place
    yield Need(operation, "*")


def _dynamodb(operation: str, given: Mapping[str, Any], place: Place) -> Iterator[Need]:
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in given["TransactItems"]:
            for kind, one in item.items():
                # Reading, unconfirmed: each item is decided by its own key, not by those of the transaction.
                yield Need(_TRANSACTION[kind], place.table(one["TableName"]), _leading([one]))
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table, asked in given["RequestItems"].items():
            yield Need(operation, place.table(table), _leading(_batched(asked)))
    elif operation in ("DescribeStream", "GetShardIterator", "GetRecords"):
        # moto's iterators begin with the stream's ARN; AWS's hold it sealed.
        named = "ShardIterator" if operation == "GetRecords" else "StreamArn"
        yield Need(operation, given[named].split("|")[0])
    elif operation not in _NAMELESS:
        yield from _on_table(operation, given, place)


def _on_table(operation: str, given: Mapping[str, Any], place: Place) -> Iterator[Need]:
    index = given.get("IndexName") if operation in ("Query", "Scan") else None
    if "TableName" in given:
        table = place.table(given["TableName"])
        # No policy here asks for the partition that a Query names, so its condition is not read.
        resource = table + (f"/index/{index}" if index else "")
        yield Need(operation, resource, _leading([given]), _select(operation, given), _attributes(given))
    if "ResourceArn" in given:
        yield Need(operation, given["ResourceArn"])


def _select(operation: str, given: Mapping[str, Any]) -> str | None:
    """Which attributes a Query or Scan asks for; a projection means SPECIFIC_ATTRIBUTES, said or not."""
    if operation not in ("Query", "Scan"):
        return None
    usual = "ALL_PROJECTED_ATTRIBUTES" if "IndexName" in given else "ALL_ATTRIBUTES"
    return str(given.get("Select") or ("SPECIFIC_ATTRIBUTES" if "ProjectionExpression" in given else usual))


def _attributes(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The attributes that a read names; none where it reads all.

    Reading, unconfirmed: those of the key condition and of a filter are among them.
    """
    if "ProjectionExpression" not in given:
        return ()
    named = given.get("ExpressionAttributeNames") or {}
    texts = [str(given.get(f"{part}Expression", "")) for part in ("KeyCondition", "Filter", "Projection")]
    words = [word for text in texts for word in _NAME.findall(text) if word.upper() not in _WORDS]
    return tuple(dict.fromkeys(named.get(word, word) for word in words))


def _batched(asked: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(asked, Mapping):
        yield from ({"Key": key} for key in asked["Keys"])
    else:
        yield from (one for request in asked for one in request.values())


def _leading(items: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The partition keys of items that are named by their key or written whole."""
    named = (item.get("Key") or item.get("Item") or {} for item in items)
    return tuple(str(value) for each in named for value in each.get(_PARTITION, {}).values())


def _sns(operation: str, given: Mapping[str, Any], place: Place) -> Iterator[Need]:
    if operation == "CreateTopic":
        yield Need(operation, place.arn("sns", given["Name"]))
    else:
        # moto takes the first that suits it, so the caller needs the right on all.
        named = ("TopicArn", "TargetArn", "SubscriptionArn", "ResourceArn")
        yield from (Need(operation, given[name]) for name in named if name in given)
        if "PhoneNumber" in given:
            yield Need(operation, "*")


def _sqs(operation: str, given: Mapping[str, Any], place: Place) -> Iterator[Need]:
    if operation in ("CreateQueue", "GetQueueUrl"):
        yield Need(operation, place.arn("sqs", given["QueueName"]))
    elif "QueueUrl" in given:
        owner, name = given["QueueUrl"].split("/")[-2:]
        # A batch needs the right to its single call.
        yield Need(operation.removesuffix("Batch"), Place(owner, place.region).arn("sqs", name))


def _events(operation: str, given: Mapping[str, Any], place: Place) -> Iterator[Need]:
    if operation == "PutEvents":
        for entry in given["Entries"]:
            bus = entry.get("EventBusName") or "default"
            arn = bus if bus.startswith("arn:") else place.arn("events", f"event-bus/{bus}")
            yield Need(operation, arn)
    elif operation.endswith(("EventBus", "Permission")):
        name = given.get("Name") or given.get("EventBusName") or "default"
        yield Need(operation, place.arn("events", f"event-bus/{name}"))
    elif "Rule" in given or "Name" in given:
        yield Need(operation, place.arn("events", f"rule/{given.get('Rule') or given['Name']}"))


def _logs(operation: str, given: Mapping[str, Any], place: Place) -> Iterator[Need]:
    if "logGroupName" in given:
        stream = f":log-stream:{given['logStreamName']}" if "logStreamName" in given else ""
        yield Need(operation, place.arn("logs", f"log-group:{given['logGroupName']}{stream or ':*'}"))


_NEEDS: dict[str, Callable[[str, Mapping[str, Any], Place], Iterator[Need]]] = {
    "dynamodb": _dynamodb,
    "sns": _sns,
    "sqs": _sqs,
    "events": _events,
    "logs": _logs,
}
