"""The API's client, as a third party uses it; `security` is the security team's side of it."""

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Unpack, cast

import boto3

from grant_broker.client.asked import Question, Submission
from grant_broker.client.durations import Span, iso_duration, read_span
from grant_broker.client.errors import ConflictError, GrantBrokerError, WaitTimeoutError
from grant_broker.client.grant import HeldGrant
from grant_broker.client.http import ATTEMPTS, Answer, Connection
from grant_broker.client.identity import own_principal
from grant_broker.client.pages import pages
from grant_broker.client.security_team import SecurityTeam

if TYPE_CHECKING:
    from grant_broker.api.shapes.third_parties import Explanation, Forecast, Offer, Request, RequestShown

DAY = timedelta(days=1)


class Client:
    """The broker at `url` (else GRANT_BROKER_URL), called with the credentials of a boto3 session.

    Every method raises GrantBrokerError, each refusal of the API by its own type.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        session: boto3.Session | None = None,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        url = url or os.environ.get("GRANT_BROKER_URL")
        if not url:
            raise GrantBrokerError(
                "the broker's address is missing: set GRANT_BROKER_URL to the stack's ApiUrl"
            )
        self.session = session or boto3.Session()
        self._connection = Connection(url, self.session, attempts=attempts, sleep=sleep)

    @cached_property
    def security(self) -> SecurityTeam:
        """What the security team may do."""
        return SecurityTeam(self._connection)

    @cached_property
    def principal(self) -> str:
        """The caller's own ARN: what a grant is asked for where no grantee is given."""
        return own_principal(self.session)

    def call(
        self, method: str, path: str, body: object = None, *, query: Mapping[str, str | None] | None = None
    ) -> Answer:
        """Call anything of the API, signed and repeated like all calls."""
        return self._connection.call(method, path, body, query=query)

    def list_keys(self) -> Iterator["Offer"]:
        """What the caller's account may ask for."""
        return cast("Iterator[Offer]", pages(self._connection, "/keys"))

    def list_requests(self, *, status: str | None = None) -> Iterator["RequestShown"]:
        """The account's requests, newest first."""
        return cast("Iterator[RequestShown]", pages(self._connection, "/requests", {"status": status}))

    def forecast(self, **submission: Unpack[Submission]) -> "Forecast":
        """What submitting this would lead to, and why; nothing is stored."""
        answer = self.call("POST", "/requests", self._body(submission), query={"dry_run": "true"})
        return cast("Forecast", answer.body)

    def submit(self, *, idempotency_key: str | None = None, **submission: Unpack[Submission]) -> "Request":
        """Submit a request. Covered by an approval it comes back active; with the same key, the same one."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        answer = self._connection.call("POST", "/requests", self._body(submission), headers=headers)
        return cast("Request", answer.body)

    def get_request(self, request_id: str) -> "Request":
        """One request of the account; NotFoundError."""
        return self._read(request_id)[0]

    def wait(self, request_id: str, *, timeout: Span = DAY) -> "Request":
        """Wait until nothing happens to the request by itself any more; WaitTimeoutError.

        It is then approved and to be taken up, active, or final. Asks as often as the API says (Retry-After).
        """
        longest = read_span(timeout, "timeout")
        deadline = time.monotonic() + longest.total_seconds()
        while True:
            request, pause = self._read(request_id)
            if pause is None:
                return request
            left = deadline - time.monotonic()
            if left <= 0:
                raise WaitTimeoutError(request, longest)
            self._connection.sleep(min(pause, left))

    def take_up(self, request_id: str) -> "Request":
        """Take an approved request up: its time starts now. Repeated, the same grant. ConflictError."""
        return cast("Request", self.call("POST", f"/requests/{request_id}/grant").body)

    def extend(
        self, request_id: str, *, duration: Span, reason: str, idempotency_key: str | None = None
    ) -> "Request":
        """Ask to go on with an active grant, by a request of its own that is approved like any other.

        Its time runs from its taking up, and must end after the old grant: InvalidRequestError else.
        ConflictError where the request is not active.
        """
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        body = {"duration": iso_duration(duration), "reason": reason}
        path = f"/requests/{request_id}/extension"
        return cast("Request", self._connection.call("POST", path, body, headers=headers).body)

    def break_glass(self, request_id: str, *, reason: str, idempotency_key: str | None = None) -> "Request":
        """Be granted a pending request now, in an emergency: loud, counted, and owed a review by others."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        path = f"/requests/{request_id}/break-glass"
        return cast("Request", self._connection.call("POST", path, {"reason": reason}, headers=headers).body)

    def explain(self, request_id: str, question: Question) -> "Explanation":
        """Why KMS allows or refuses a call under the request's grant, and what to do next."""
        return cast("Explanation", self.call("POST", f"/requests/{request_id}/why", question).body)

    def withdraw(self, request_id: str) -> "RequestShown":
        """Withdraw a pending or approved request; ConflictError."""
        return cast("RequestShown", self.call("DELETE", f"/requests/{request_id}").body)

    def release(self, request_id: str) -> "RequestShown":
        """Release an active grant before its time; ConflictError."""
        return cast("RequestShown", self.call("DELETE", f"/requests/{request_id}/grant").body)

    def end(self, request_id: str) -> "RequestShown":
        """Release or withdraw, whichever the request needs; one that is over stays as it is.

        A grant that is being made is waited for: it can be released when it is there.
        """
        conflicts = 0
        while True:
            request, pause = self._read(request_id)
            try:
                if request["status"] in {"pending", "approved"}:
                    return self.withdraw(request_id)
                if request["status"] == "active":
                    return self.release(request_id)
            except ConflictError:
                # Something happened to it meanwhile, which is seen by looking again.
                conflicts += 1
                if conflicts == ATTEMPTS:
                    raise
                continue
            if request["status"] != "issuing":
                return cast("RequestShown", request)
            self._connection.sleep(pause or 1)

    def grant(
        self,
        *,
        timeout: Span = DAY,
        renew_before: Span | None = None,
        **submission: Unpack[Submission],
    ) -> "HeldGrant":
        """Ask, wait, take up; use within `with`; release at its end, whatever happens.

        `timeout`: how long to wait for the security team. `renew_before`: ask to go on when this is left, so
        that the next grant is there before this one ends. InvalidArgumentError before anything is sent.
        """
        if "duration" in submission:
            submission["duration"] = iso_duration(submission["duration"])
        return HeldGrant(
            self,
            submission,
            timeout=read_span(timeout, "timeout"),
            renew_before=None if renew_before is None else read_span(renew_before, "renew_before"),
        )

    def _read(self, request_id: str) -> tuple["Request", int | None]:
        answer = self.call("GET", f"/requests/{request_id}")
        return cast("Request", answer.body), answer.retry_after

    def _body(self, submission: Submission) -> dict[str, object]:
        body: dict[str, object] = {"grantee": submission.get("grantee") or self.principal, **submission}
        # Without one the API says so, and what else is missing.
        return body | ({"duration": iso_duration(submission["duration"])} if "duration" in submission else {})
