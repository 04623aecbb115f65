"""Every error that the broker raises on purpose; `api.problems` maps each to its HTTP answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple


class Fault(NamedTuple):
    """One thing wrong with what the caller sent: the top-level field, and what would be right."""

    field: str
    message: str


MISSING = "missing: give this field"
"""What a fault says of a field that was left out."""


class BrokerError(Exception):
    """Anything that the broker refuses or cannot do; the message is fit to be shown to the caller."""


class InvalidRequest(BrokerError):  # noqa: N818 - named as the API's `code`
    """The request is malformed or outside a limit; `faults` lists everything wrong with it at once."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = faults


class NotPermitted(BrokerError):  # noqa: N818
    """The caller is known and may not do this."""


class Blocked(NotPermitted):
    """The security team lets nobody have this now, whoever asks; `until` None: until it lifts the block."""

    def __init__(self, message: str, until: datetime | None) -> None:
        super().__init__(message)
        self.until = until


class NotFound(BrokerError):  # noqa: N818
    """There is no such thing, or it is another account's: the two are told apart by nobody."""


class Conflict(BrokerError):  # noqa: N818
    """The thing is in a state that does not allow this."""


class EndsCrowded(Conflict):
    """The grant would end where more end than can be on time; `durations`, in seconds, are near and fit."""

    def __init__(self, message: str, durations: Sequence[int]) -> None:
        super().__init__(message)
        self.durations = tuple(durations)


class PreconditionFailed(BrokerError):  # noqa: N818
    """The thing has changed since the caller read it (If-Match)."""


class TooLarge(BrokerError):  # noqa: N818
    """The body is larger than 64 KiB."""


class TooManyRequests(BrokerError):  # noqa: N818
    """A limit on how much one account may ask for; `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(BrokerError):  # noqa: N818
    """AWS did not answer or the outcome is not known yet; `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: int = 5, location: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.location = location


class Contended(Unavailable):
    """Other writers came first, attempt after attempt: the database answers, this record stays put."""


class Stale(BrokerError):  # noqa: N818
    """Another writer was first: the record is no longer as it was read."""


class KmsRefused(BrokerError):  # noqa: N818
    """KMS refused definitely: the call had no effect. `code` is the KMS error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class KmsUncertain(BrokerError):  # noqa: N818
    """A throttle, a 5xx, a time-out or a lost answer: KMS may or may not have done it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class HookFailed(Exception):  # noqa: N818
    """An operator's function gave no answer that can be used; `code` is AWS's, or says what was wrong."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class GrantNotFound(BrokerError):  # noqa: N818
    """KMS knows no such grant: gone, not there yet, or on another key. Confirm with ListGrants."""


class DatabaseRefused(Exception):  # noqa: N818
    """DynamoDB refused the call itself for certain: a missing right, or an item that it does not take.

    No BrokerError: nobody can answer it but whoever mends the cause.
    """


class ArchiveRefused(Exception):  # noqa: N818
    """S3 refused a call on the archive for certain, or did not confirm what it stored."""


class EventsRefused(Exception):  # noqa: N818
    """EventBridge refused a call for certain, such as for a missing right: it took nothing of it.

    No caller of the API ever waits for EventBridge, so this has no HTTP answer.
    """
