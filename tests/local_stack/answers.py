"""AWS's JSON answers and errors."""

import json
from typing import Any

Response = tuple[int, dict[str, str], bytes]


class AwsError(Exception):
    """A refusal, with AWS's error code and the HTTP status it comes with."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status

    def response(self) -> Response:
        """The error as a JSON protocol answer."""
        body = json.dumps({"__type": self.code, "message": self.message}).encode()
        return (
            self.status,
            {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": self.code},
            body,
        )


def ok(answer: dict[str, Any]) -> Response:
    """A JSON protocol answer with status 200."""
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()
