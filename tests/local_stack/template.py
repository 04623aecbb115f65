"""`template.yaml`, resolved for one stack: the one description that the local stack is built from."""

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.local_stack.intrinsics import NO_VALUE, Resolver, load

ROOT = Path(__file__).parents[2]
_FUNCTION = "AWS::Serverless::Function"
API_ID = "localstack"


@dataclass(frozen=True)
class Function:
    """A Lambda function: durations in seconds, memory in MB."""

    name: str
    logical_id: str
    role: str
    code: Path
    handler: str
    timeout: int
    memory: int
    environment: dict[str, str]


@dataclass(frozen=True)
class Route:
    """One method and path of the API and the function behind it."""

    method: str
    path: str
    function: str


@dataclass(frozen=True)
class Stream:
    """An event source mapping on a table's stream; `on_failure` is the ARN that lost batches go to."""

    function: str
    table: str
    patterns: tuple[dict[str, Any], ...]
    batch_size: int
    attempts: int
    bisect: bool
    reports_failures: bool
    on_failure: str | None


@dataclass(frozen=True)
class Queue:
    """An event source mapping on a queue; `window` in seconds, `at_once` how many batches run at a time."""

    function: str
    arn: str
    url: str
    batch_size: int
    window: float
    at_once: int


@dataclass(frozen=True)
class Schedule:
    """What is invoked again and again; `seconds` apart, with `payload` as the event."""

    name: str
    function: str
    seconds: int
    payload: dict[str, Any]


@dataclass(frozen=True)
class Template:
    """The template with its parameters. `physical` holds what only creation tells, such as a key's ARN."""

    document: dict[str, Any]
    parameters: dict[str, Any]
    account: str
    region: str
    stack: str
    physical: dict[tuple[str, str | None], Any] = field(default_factory=dict)

    @classmethod
    def read(
        cls, parameters: Mapping[str, Any], *, account: str, region: str, stack: str, path: Path | None = None
    ) -> "Template":
        """The repository's template; KeyError where a parameter has neither a value nor a default.

        A list may be given for what the template takes as a text with commas.
        """
        document = load(path or ROOT / "template.yaml")
        declared = document.get("Parameters", {})
        if unknown := set(parameters) - set(declared):
            raise KeyError(f"the template has no parameter {', '.join(sorted(unknown))}")
        values = {
            name: parameters[name] if name in parameters else p["Default"] for name, p in declared.items()
        }
        typed = {name: _as_text(value) for name, value in values.items()}
        return cls(document, typed, account, region, stack)

    @property
    def resolve(self) -> Resolver:
        """Resolves any part of the template as CloudFormation would."""
        return Resolver(
            self.reference, self.document.get("Conditions", {}), self.document.get("Mappings", {})
        )

    def reference(self, name: str, attribute: str | None) -> Any:
        """Ref and GetAtt, before anything is made; what only creation tells comes first."""
        pseudo: dict[str, Any] = {"AccountId": self.account, "Region": self.region, "StackName": self.stack}
        pseudo |= {"Partition": "aws", "URLSuffix": "amazonaws.com", "NoValue": NO_VALUE}
        pseudo["StackId"] = self.stack_id
        if name.startswith("AWS::"):
            return pseudo[name.removeprefix("AWS::")]
        if (name, attribute) in self.physical:
            return self.physical[name, attribute]
        if attribute is None and name in self.parameters:
            return self.parameters[name]
        resource = self.document["Resources"].get(name)
        if resource is None:
            return self._implied(name)
        return self._identity(name, resource, attribute)

    def _implied(self, name: str) -> str:
        # SAM makes some resources of its own, such as the API's stage.
        if name.endswith("Stage"):
            return str(self.properties(name.removesuffix("Stage").removesuffix("."))["StageName"])
        raise KeyError(f"the template has no resource {name}")

    def _identity(self, name: str, resource: dict[str, Any], attribute: str | None) -> Any:
        kind, given = resource["Type"], resource.get("Properties", {})
        named = {
            "AWS::IAM::Role": "RoleName",
            "AWS::DynamoDB::Table": "TableName",
            "AWS::SNS::Topic": "TopicName",
            "AWS::SQS::Queue": "QueueName",
            "AWS::Logs::LogGroup": "LogGroupName",
            _FUNCTION: "FunctionName",
        }
        own = str(self.resolve(given.get(named.get(kind, ""), generated_name(self.stack, name))))
        if kind == "AWS::S3::Bucket":
            own = own.lower()
        place = f"{self.region}:{self.account}"
        arns = {
            "AWS::IAM::Role": f"arn:aws:iam::{self.account}:role{self.resolve(given.get('Path', '/'))}{own}",
            "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{place}:table/{own}",
            "AWS::SNS::Topic": f"arn:aws:sns:{place}:{own}",
            "AWS::SQS::Queue": f"arn:aws:sqs:{place}:{own}",
            "AWS::Events::Rule": f"arn:aws:events:{place}:rule/{own}",
            "AWS::Events::ApiDestination": f"arn:aws:events:{place}:api-destination/{own}/1",
            "AWS::Events::Connection": f"arn:aws:events:{place}:connection/{own}/1",
            "AWS::Logs::LogGroup": f"arn:aws:logs:{place}:log-group:{own}:*",
            "AWS::S3::Bucket": f"arn:aws:s3:::{own}",
            "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{self.account}:policy/{own}",
            **dict.fromkeys((_FUNCTION, "AWS::Lambda::Function"), f"arn:aws:lambda:{place}:function:{own}"),
        }
        # Where Ref is no name, or an attribute no ARN.
        others: dict[tuple[str, str | None], str] = {
            ("AWS::SQS::Queue", "QueueName"): own,
            ("AWS::SQS::Queue", None): f"https://sqs.{self.region}.amazonaws.com/{self.account}/{own}",
            ("AWS::Serverless::Api", None): API_ID,
            ("AWS::ApiGateway::RestApi", None): API_ID,
            ("AWS::DynamoDB::Table", "StreamArn"): f"arn:aws:dynamodb:{place}:table/{own}/stream/local",
            **{(each, None): arns[each] for each in ("AWS::SNS::Topic", "AWS::IAM::ManagedPolicy")},
            **{
                ("AWS::ApiGateway::DomainName", f"Regional{each}"): f"{each.lower()}.{API_ID}"
                for each in ("DomainName", "HostedZoneId")
            },
        }
        if (kind, attribute) in others:
            return others[kind, attribute]
        return own if attribute is None else arns[kind]

    @property
    def stack_id(self) -> str:
        """The stack's ARN, which ends in an id that CloudFormation makes up."""
        unique = uuid.uuid5(uuid.NAMESPACE_URL, self.stack)
        return f"arn:aws:cloudformation:{self.region}:{self.account}:stack/{self.stack}/{unique}"

    def properties(self, name: str) -> dict[str, Any]:
        """A resource's properties, resolved; KeyError where there is none."""
        found: dict[str, Any] = self.resolve(self.document["Resources"][name].get("Properties", {}))
        return found

    def named(self, *kinds: str) -> Iterator[str]:
        """The logical ids of all resources of these types whose condition holds."""
        for name, resource in self.document["Resources"].items():
            condition = resource.get("Condition")
            if resource["Type"] in kinds and (condition is None or self.resolve.holds(condition)):
                yield name

    def functions(self) -> dict[str, Function]:
        """The functions by the name of their folder."""
        return {made.name: made for made in map(self._function, self.named(_FUNCTION))}

    def _function(self, logical_id: str) -> Function:
        shared = self.resolve(self.document.get("Globals", {}).get("Function", {}))
        own = {**shared, **self.properties(logical_id)}
        variables = [part.get("Environment", {}).get("Variables", {}) for part in (shared, own)]
        code = ROOT / own["CodeUri"]
        return Function(
            name=code.name,
            logical_id=logical_id,
            role=own["Role"],
            code=code,
            handler=own["Handler"],
            timeout=int(own["Timeout"]),
            memory=int(own.get("MemorySize", 128)),
            environment={name: str(value) for name, value in {**variables[0], **variables[1]}.items()},
        )

    def events(self, *kinds: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Function (by folder), event name and resolved properties of each SAM event of these types."""
        for function in self.functions().values():
            for name, event in self.properties(function.logical_id).get("Events", {}).items():
                if event["Type"] in kinds:
                    yield function.name, f"{function.logical_id}{name}", event.get("Properties", {})

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        return {
            name: self.resolve(output["Value"])
            for name, output in self.document["Outputs"].items()
            if "Condition" not in output or self.resolve.holds(output["Condition"])
        }


def generated_name(stack: str, logical_id: str) -> str:
    """A physical name as CloudFormation makes them: it cannot be told from the stack's name, but stays."""
    digest = hashlib.sha256(f"{stack} {logical_id}".encode()).hexdigest()
    return f"{stack}-{logical_id}-{digest[:12].upper()}"


def _as_text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list | tuple) else str(value)


def as_document(value: Any) -> Any:
    """A JSON text or what it stands for."""
    return json.loads(value) if isinstance(value, str) else value
