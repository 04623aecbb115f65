"""The operator's function that knows tickets, past the wire, and what it said of each request."""

import io
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from botocore.exceptions import ReadTimeoutError

from tests.local_aws.answers import AwsError
from tests.local_aws.cloud import AwsCall
from tests.local_stack import tickets
from tests.simulation.client import client_error
from tests.simulation.injection import Answered, Injector

TICKETS = ("CHG-1", "CHG-1", "CHG-91", "INC-1", *sorted(tickets.FAILURES), "SLOW")
"""One that stands, one that does until it is taken up, one that nobody knows, and those without an answer."""


class Said(StrEnum):
    """What came of a question."""

    STANDS = "stands"
    REFUSED = "refused"
    NOTHING = "nothing"


@dataclass
class Hooks:
    """Lambda, and the function on it. `said`: when each request was asked about last, and what came of it.

    `unchecked_stand`: what the stack says of tickets that cannot be checked.
    """

    injector: Injector
    principal: str
    said: dict[str, tuple[str, Said]] = field(default_factory=dict)
    unchecked_stand: bool = False

    def lets(self, request_id: str, moment: str) -> bool:
        """Whether a request may go on by what its last question came to; False where nobody asked it then."""
        asked, said = self.said.get(request_id, ("", Said.REFUSED))
        return asked == moment and (said == Said.STANDS or (said == Said.NOTHING and self.unchecked_stand))

    def forget(self) -> None:
        """A new example."""
        self.said.clear()

    def invoke(self, **given: Any) -> Any:
        """Invoke."""
        question = json.loads(given["Payload"])
        request_id, moment = question["request_id"], question["moment"]
        self.said[request_id] = moment, Said.NOTHING
        call = AwsCall("lambda", "Invoke", given, self.principal)
        try:
            answer = self.injector.call(call, lambda: _answer(question))
        except Answered as answered:
            raise client_error("Invoke", answered.code, status=answered.status) from answered
        except AwsError as error:
            raise client_error("Invoke", error.code, status=error.status) from error
        # What is no answer by the contract's words comes to nothing, however it looks.
        if isinstance(answer, dict) and isinstance(answer.get("stands"), bool):
            long = len(json.dumps(answer)) > 60_000
            said = Said.STANDS if answer["stands"] else Said.REFUSED
            self.said[request_id] = moment, Said.NOTHING if long else said
        if isinstance(answer, _FunctionFailed):
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return {"Payload": io.BytesIO(text)}


class _FunctionFailed:
    """The function raised an error of its own."""


def _answer(question: dict[str, Any]) -> Any:
    if question["ticket"] == "SLOW":
        raise ReadTimeoutError(endpoint_url="lambda")
    try:
        return tickets.answer(question)
    except AwsError:
        raise
    except RuntimeError:
        return _FunctionFailed()
