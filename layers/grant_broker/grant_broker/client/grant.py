"""A grant held for the length of a `with`: asked for, waited for, taken up, used, renewed, released."""

import logging
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from grant_broker.client.asked import Submission
from grant_broker.client.errors import (
    ConflictError,
    GrantBrokerError,
    InvalidArgumentError,
    InvalidRequestError,
    NotGrantedError,
    ProblemError,
    UnavailableError,
)
from grant_broker.client.kms import kms_with_grant

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from grant_broker.api.shapes.third_parties import Request
    from grant_broker.client.third_party import Client

_LOG = logging.getLogger(__name__)
MOST_BYTES = 4096
"""KMS encrypts no more in one call."""
# Between two looks at a renewal that waits for people, while the old grant still lives.
_LOOK_EVERY = 30.0


class HeldGrant:
    """What `Client.grant` gives. Outside of `with` it holds nothing.

    `request` is the Request whose grant is in use; `kms` a boto3 client that adds its token, encryption
    context and key; `encrypt` the shortest use of it.
    """

    request: "Request"

    def __init__(
        self,
        client: "Client",
        submission: Submission,
        *,
        timeout: timedelta,
        renew_before: timedelta | None,
    ) -> None:
        self._client = client
        self._submission = submission
        self._timeout = timeout
        self._renew_before = renew_before
        self._asked: list[str] = []
        """Ids of requests, to be ended at the end."""
        self._until = 0.0
        """When the grant in use ends, by time.monotonic."""
        self._next: Request | None = None
        """What was asked for in its place, and is not granted yet."""
        self._look_at = 0.0

    def __enter__(self) -> Self:
        """Ask, wait, take up. NotGrantedError where it is denied; what was asked for is then withdrawn."""
        try:
            self._take(self._ask())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release. Where that fails it is logged: the grant then ends by itself, at its time."""
        self._end()

    @cached_property
    def kms(self) -> "KMSClient":
        """A KMS client of the key's Region that adds grant token, encryption context and key by itself."""
        return kms_with_grant(self._client.session, self.request["key"], self.current)

    def encrypt(self, plaintext: bytes) -> bytes:
        """The ciphertext of at most 4,096 bytes (KMS's limit)."""
        if len(plaintext) > MOST_BYTES:
            raise InvalidArgumentError(
                f"KMS encrypts at most {MOST_BYTES:,} bytes in one call, these are {len(plaintext):,}: "
                "use grant_broker.client.encryption_sdk"
            )
        return self.kms.encrypt(KeyId=self.request["key"], Plaintext=plaintext)["CiphertextBlob"]

    def current(self) -> "Request":
        """The Request to call KMS under now, renewed where its time has come."""
        left = self._until - time.monotonic()
        if self._renew_before is not None and left <= self._renew_before.total_seconds():
            self._renew_if_granted(left)
        return self.request

    def renew(self) -> None:
        """Ask to go on and change over now, waiting for it. The old grant ends at the end, or at its time."""
        self._take(self._next or self._ask_to_go_on())

    def _renew_if_granted(self, left: float) -> None:
        """Change over as soon as the next grant is there. Waits for it only where the old one is over."""
        self._next = self._next or self._ask_to_go_on()
        if left <= 0:
            self.renew()
        elif time.monotonic() >= self._look_at:
            seen = self._client.get_request(self._next["id"])
            self._look_at = time.monotonic() + _LOOK_EVERY
            if seen["status"] in {"approved", "active"}:
                self._take(seen)

    def _ask(self) -> "Request":
        key = str(uuid.uuid4())
        return self._ask_by(lambda: self._client.submit(idempotency_key=key, **self._submission))

    def _ask_to_go_on(self) -> "Request":
        """Extend the grant in use; ask for another where that cannot be extended, such as when it is over."""
        key, asked = str(uuid.uuid4()), self._submission
        try:
            return self._ask_by(
                lambda: self._client.extend(
                    self.request["id"],
                    duration=asked["duration"],
                    reason=asked["reason"],
                    idempotency_key=key,
                )
            )
        except (ConflictError, InvalidRequestError):
            return self._ask()

    def _ask_by(self, call: Callable[[], "Request"]) -> "Request":
        """Ask by a call that, made again, finds what became of it where its answer was lost."""
        try:
            request = call()
        except BaseException as error:
            if not isinstance(error, ProblemError) or isinstance(error, UnavailableError):
                self._find_out(call)
            raise
        self._asked.append(request["id"])
        return request

    def _find_out(self, call: Callable[[], "Request"]) -> None:
        """Learn the id of a request whose answer was lost or not waited for, so that it can be ended."""
        try:
            self._asked.append(call()["id"])
        except GrantBrokerError as error:
            _LOG.warning("a request may have been made, and ends by itself: %s", error)

    def _take(self, request: "Request") -> None:
        if request["status"] != "active":
            request = self._client.wait(request["id"], timeout=self._timeout)
        begun = time.monotonic()
        if request["status"] == "approved":
            request = self._client.take_up(request["id"])
        grant = request["grant"]
        if request["status"] != "active" or not grant or not grant["ends_at"]:
            raise NotGrantedError(request)
        # By how long it lasts, and not by this machine's clock, which may be wrong.
        life = _time(grant["ends_at"]) - _time(grant["issued_at"] or request["created_at"])
        self._until = begun + life.total_seconds()
        self.request, self._next = request, None

    def _end(self) -> None:
        for request_id in self._asked:
            try:
                self._client.end(request_id)
            except GrantBrokerError as error:
                _LOG.warning("request %s was not released, and ends by itself: %s", request_id, error)
        self._asked.clear()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
