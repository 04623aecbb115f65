"""boto3's clients as the broker uses them, without botocore's serialisation: many times as fast."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from tests.local_aws.answers import Response
from tests.local_aws.cloud import AwsCall
from tests.simulation.database import Database, Refused
from tests.simulation.injection import Answered, Injector

_ATTEMPTS = 3
_AGAIN = {"ThrottlingException", "InternalServerError"}


class DirectDynamoDb:
    """Calls the database past the injector; like the SDK three attempts with one request token."""

    def __init__(
        self, database: Database, injector: Injector, principal: str, sleep: Callable[[float], None]
    ) -> None:
        self._database, self._injector, self._principal, self._sleep = database, injector, principal, sleep

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = "".join(part.capitalize() for part in name.split("_"))
        return partial(self._attempts, operation)

    def _attempts(self, operation: str, **parameters: Any) -> Any:
        if operation == "TransactWriteItems":
            parameters.setdefault("ClientRequestToken", str(uuid.uuid4()))
        call = AwsCall("dynamodb", operation, parameters, self._principal)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._injector.call(
                    call, partial(self._database.handle, operation, parameters, self._principal)
                )
            except ReadTimeoutError:
                if attempt == _ATTEMPTS:
                    raise
            except Answered as answered:
                if attempt == _ATTEMPTS or answered.code not in _AGAIN:
                    raise client_error(operation, answered.code, status=answered.status) from answered
            except Refused as refused:
                raise client_error(operation, refused.code, reasons=refused.reasons) from refused
            self._sleep(0.1 * attempt)
        raise AssertionError("the last attempt answers or raises")


class DirectKms:
    """Calls KMS past the injector (`answer`), one attempt a call."""

    def __init__(self, answer: Callable[[str, dict[str, Any]], Response]) -> None:
        self._answer = answer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._call, "".join(part.capitalize() for part in name.split("_")))

    def _call(self, operation: str, **parameters: Any) -> Any:
        status, _, body = self._answer(operation, parameters)
        answer = json.loads(body)
        if status >= 300:
            raise client_error(operation, answer["__type"], status=status)
        for grant in answer.get("Grants", ()):
            grant["CreationDate"] = datetime.fromtimestamp(grant["CreationDate"], UTC)
        return answer


def client_error(
    operation: str, code: str, *, status: int = 400, reasons: list[dict[str, str]] | None = None
) -> ClientError:
    """The error that boto3 raises for an answer."""
    answer: Any = {
        "Error": {"Code": code, "Message": "injected"}, "ResponseMetadata": {"HTTPStatusCode": status},
        **({"CancellationReasons": reasons} if reasons else {}),
    }  # fmt: skip
    return ClientError(answer, operation)
