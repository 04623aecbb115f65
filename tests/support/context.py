"""What Lambda tells a handler beside its event."""

from aws_lambda_powertools.utilities.typing import LambdaContext


class Context(LambdaContext):
    """Of an invocation that has four minutes left."""

    _function_name = "test"
    _memory_limit_in_mb = 512
    _invoked_function_arn = "arn:aws:lambda:eu-central-1:111122223333:function:test"
    _aws_request_id = "test"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Milliseconds until Lambda stops the function."""
        return 240_000
