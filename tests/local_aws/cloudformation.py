"""CloudFormation, as far as commands ask it: the stacks that were deployed here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.local_aws.answers import AwsError, Response, query_ok
from tests.local_aws.authority import Authority
from tests.local_aws.identities import Credentials


@dataclass
class Described:
    """What a stack says beside its outputs; `resources` maps a logical id to type and physical id."""

    status: str = "CREATE_COMPLETE"
    parameters: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, tuple[str, str]] = field(default_factory=dict)


class CloudFormation:
    """DescribeStacks and ListStackResources of one stack; `stacks` maps the ARN of each to its outputs."""

    def __init__(self, authority: Authority, region: str, stacks: Mapping[str, Mapping[str, str]]) -> None:
        self._authority, self._region, self._stacks = authority, region, stacks
        self.described: dict[str, Described] = {}

    def handle(self, caller: Credentials, operation: str, form: Mapping[str, str]) -> Response:
        """The answer to a call. Raises AwsError."""
        shown = {"DescribeStacks": self._describe, "ListStackResources": self._list_resources}
        if operation not in shown or "StackName" not in form:
            raise AwsError("InvalidAction", f"This CloudFormation has no {operation} of all stacks")
        name = form["StackName"]
        place = f"arn:aws:cloudformation:{self._region}:{caller.account}:stack"
        found = {arn.split("/")[1]: arn for arn in self._stacks if arn.startswith(f"{place}/")}.get(name)
        self._authority.require(caller, f"cloudformation:{operation}", found or f"{place}/{name}/*")
        if found is None:
            raise AwsError("ValidationError", f"Stack with id {name} does not exist")
        return query_ok(operation, shown[operation](name, found))

    def _describe(self, name: str, arn: str) -> dict[str, Any]:
        described = self.described.get(arn, Described())
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self._stacks[arn].items()]
        given = described.parameters.items()
        stack = {
            "StackName": name,
            "StackId": arn,
            "CreationTime": "2026-01-01T00:00:00Z",
            "StackStatus": described.status,
            "Outputs": outputs,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in given],
        }
        return {"Stacks": [stack]}

    def _list_resources(self, _: str, arn: str) -> dict[str, Any]:
        found = self.described.get(arn, Described()).resources.items()
        return {
            "StackResourceSummaries": [
                {"LogicalResourceId": logical, "ResourceType": kind, "PhysicalResourceId": physical}
                for logical, (kind, physical) in found
            ]
        }
