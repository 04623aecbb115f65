"""What the security team says of accounts, remembered for seconds: a batch asks for the same few again."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.items import record_of
from grant_broker.domain.accounts import Account, AccountDocument
from grant_broker.domain.errors import DatabaseRefused, Unavailable
from grant_broker.events.settings import EventsSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LOG = logging.getLogger(__name__)
_REMEMBERED = 5.0
"""Seconds that an answer holds: how long after a PUT the events may still go where they went."""
_PATIENCE = 10.0
"""Seconds for which nobody is asked again who did not answer: mails and other events are waiting."""

Find = Callable[[str], AccountDocument | None]
"""Reads what is said of an account; None where nobody has named it."""


def account_reader(client: "DynamoDBClient", settings: EventsSettings) -> Find:
    """Make what reads an account's entry in the approval table."""
    database = DynamoDb(client)

    def find(account: str) -> AccountDocument | None:
        item = database.get(settings.approval_table, f"account#{account}", "account")
        found = record_of(Account, item) if item else None
        return found.document if found and found.known else None

    return find


class Directory:
    """The accounts by their ids."""

    def __init__(self, find: Find, now: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._now = now
        self._known: dict[str, tuple[float, AccountDocument | None]] = {}
        self._silent_until = 0.0

    def find(self, account: str) -> AccountDocument | None:
        """Find what is said of an account; Unavailable where that is not known, now or lately."""
        asked_at, known = self._known.get(account, (float("-inf"), None))
        if self._now() - asked_at < _REMEMBERED:
            return known
        if self._now() < self._silent_until:
            raise Unavailable("the accounts cannot be read", retry_after=1)
        try:
            found = self._find(account)
        except (Unavailable, DatabaseRefused, ValueError) as error:
            _LOG.exception("an account cannot be read", extra={"account": account})
            self._silent_until = self._now() + _PATIENCE
            raise Unavailable("the accounts cannot be read", retry_after=1) from error
        self._known[account] = (self._now(), found)
        return found

    def find_name(self, account: str) -> str | None:
        """Find what people call an account; None where nobody has named it, or that is not known."""
        try:
            found = self.find(account)
        except Unavailable:
            return None
        return found.name if found else None
