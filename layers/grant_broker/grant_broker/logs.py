"""The package's own logs, in the format and with the request id of the function that runs it."""

import logging

from aws_lambda_powertools import Logger


def share_handlers(to: Logger) -> None:
    """Let the package's loggers write through a function's logger: one format, request id and each `extra`.

    Lambda's own handler would print their message alone.
    """
    package = logging.getLogger("grant_broker")
    package.handlers, package.propagate = list(to.handlers), False
    package.setLevel(to.log_level)
