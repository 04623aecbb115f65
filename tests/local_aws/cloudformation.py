"""CloudFormation, as far as commands ask it: the outputs of the stacks that were deployed here."""

from collections.abc import Mapping

from tests.local_aws.answers import AwsError, Response, query_ok
from tests.local_aws.authority import Authority
from tests.local_aws.identities import Credentials


class CloudFormation:
    """DescribeStacks of one stack; `stacks` maps the ARN of each to its outputs."""

    def __init__(self, authority: Authority, region: str, stacks: Mapping[str, Mapping[str, str]]) -> None:
        self._authority, self._region, self._stacks = authority, region, stacks

    def handle(self, caller: Credentials, operation: str, form: Mapping[str, str]) -> Response:
        """The answer to a call. Raises AwsError."""
        if operation != "DescribeStacks" or "StackName" not in form:
            raise AwsError("InvalidAction", f"This CloudFormation has no {operation} of all stacks")
        name = form["StackName"]
        place = f"arn:aws:cloudformation:{self._region}:{caller.account}:stack"
        found = {arn.split("/")[1]: arn for arn in self._stacks if arn.startswith(f"{place}/")}.get(name)
        self._authority.require(caller, "cloudformation:DescribeStacks", found or f"{place}/{name}/*")
        if found is None:
            raise AwsError("ValidationError", f"Stack with id {name} does not exist")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self._stacks[found].items()]
        described = {
            "StackName": name,
            "StackId": found,
            "CreationTime": "2026-01-01T00:00:00Z",
            "StackStatus": "CREATE_COMPLETE",
            "Outputs": outputs,
        }
        return query_ok(operation, {"Stacks": [described]})
