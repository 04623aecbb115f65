"""A client that answers as it is told, call after call, and keeps what it was asked."""

from typing import Any

from botocore.exceptions import ClientError


def refusal(code: str, status: int = 400, operation: str = "Call", **more: Any) -> ClientError:
    """An error of AWS."""
    response = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **more,
    }
    return ClientError(response, operation)  # type: ignore[arg-type]


def cancelled(*reasons: str) -> ClientError:
    """A transaction that DynamoDB cancelled, with the reason of each item."""
    return refusal(
        "TransactionCanceledException", CancellationReasons=[{"Code": reason} for reason in reasons]
    )


class Script:
    """Each answer is returned, or raised where it is an error; the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**parameters: Any) -> Any:
            self.calls.append((operation, parameters))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call
