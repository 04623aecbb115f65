"""Lambda, as far as another function is called: Invoke, answered by what a test puts there."""

import json
from collections.abc import Callable
from typing import Any

from tests.local_aws.answers import AwsError, Response
from tests.local_aws.authority import Authority
from tests.local_aws.identities import Credentials

Answer = Callable[[Any], Any]
"""A function's handler: what it raises is its own error, but for an AwsError, which is Lambda's."""


class Functions:
    """Functions by their ARNs."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self.handlers: dict[str, Answer] = {}

    def handle(self, caller: Credentials, operation: str, given: dict[str, Any]) -> Response:
        """The answer to a call. Raises AwsError.

        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: 200 also where the function failed,
        with the header X-Amz-Function-Error and the error as payload.
        """
        if operation != "Invoke":
            raise AwsError("UnknownOperationException", f"There is no lambda:{operation} here")
        arn = given["FunctionName"]
        self._authority.require(caller, "lambda:InvokeFunction", arn)
        if arn not in self.handlers:
            raise AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404)
        try:
            return 200, {"Content-Type": "application/json"}, _bytes(self.handlers[arn](given["Payload"]))
        except AwsError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a function raises is its own
            failed = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return 200, {"X-Amz-Function-Error": "Unhandled"}, json.dumps(failed).encode()


def _bytes(result: Any) -> bytes:
    return result if isinstance(result, bytes) else json.dumps(result).encode()
