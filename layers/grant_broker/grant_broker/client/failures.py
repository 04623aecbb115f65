"""What a command says when AWS does not do what it needs: one line on the standard error, exit code 2."""

import sys

from botocore.exceptions import BotoCoreError, ClientError

from grant_broker.client.printing import printable
from grant_broker.domain.errors import ArchiveRefused, BrokerError, DatabaseRefused, EventsRefused


class MissingOptionError(Exception):
    """What was given does not say enough; the words say what to give."""


AWS_FAILURES = (
    MissingOptionError,
    BrokerError,
    ArchiveRefused,
    DatabaseRefused,
    EventsRefused,
    BotoCoreError,
    ClientError,
)
"""A missing right, table, Region or credentials; a call that had no answer; an option that is missing."""
NOT_DONE = 2
"""The exit code of a command that could not do what it was asked for."""


def report_failure(command: str, error: Exception) -> int:
    """Print why the command could not do its work; the exit code."""
    cause = error.__cause__
    words = f"{error}: {cause}" if cause and str(cause) not in str(error) else str(error)
    print(f"grant-broker {command}: {printable(words)}", file=sys.stderr)
    return NOT_DONE
