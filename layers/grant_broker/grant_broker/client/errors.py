"""What the client raises: every refusal of the API by its own type, and whatever kept it from an answer."""

from datetime import timedelta

from grant_broker.api.shapes.third_parties import Fault, Problem, RequestFields


class GrantBrokerError(Exception):
    """Whatever the client raises on purpose; the message says what to do next where that is known."""


class NoAnswerError(GrantBrokerError):
    """The API gave no answer: no network, a wrong address, or nobody listens."""


class CredentialsError(GrantBrokerError):
    """There are no AWS credentials, or they cannot be used or renewed."""


class InvalidArgumentError(GrantBrokerError, ValueError):
    """What a method was given cannot be sent at all: nothing was asked for."""


class UnexpectedAnswerError(GrantBrokerError):
    """What answered was not the broker: a proxy, or another service at this address."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"{url} answered {status}, and not as the broker does: check the address")
        self.status = status


class ProblemError(GrantBrokerError):
    """The API refused (RFC 9457). `retry_after`: the seconds after which it is worth asking again."""

    def __init__(self, problem: Problem, retry_after: int | None = None) -> None:
        super().__init__(problem["detail"])
        self.problem = problem
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem["status"]

    @property
    def errors(self) -> list[Fault]:
        """Every fault of what was sent, by its field."""
        return self.problem["errors"]


class InvalidRequestError(ProblemError):
    """What was sent is malformed, or outside a limit of the key: `errors` names every fault."""


class NotPermittedError(ProblemError):
    """The caller may not do this, or the signature is not valid."""


class BlockedError(NotPermittedError):
    """The security team lets nobody have this now, whoever asks.

    `problem["blocked_until"]` says until when; None: until it lifts the block.
    """


class NotFoundError(ProblemError):
    """There is no such thing, or it is another account's."""


class ConflictError(ProblemError):
    """The present state does not allow this."""


class PreconditionFailedError(ProblemError):
    """It has changed since it was read."""


class TooLargeError(ProblemError):
    """The body is over 64 KiB."""


class TooManyRequestsError(ProblemError):
    """Too many calls, or too many open requests."""


class UnavailableError(ProblemError):
    """AWS did not answer, or the outcome is not known yet. The same call again is safe."""


BY_CODE: dict[str, type[ProblemError]] = {
    "invalid_request": InvalidRequestError,
    "not_permitted": NotPermittedError,
    "not_found": NotFoundError,
    "conflict": ConflictError,
    "precondition_failed": PreconditionFailedError,
    "too_large": TooLargeError,
    "too_many_requests": TooManyRequestsError,
    "unavailable": UnavailableError,
}


class NotGrantedError(GrantBrokerError):
    """The request came to an end without a grant, or its grant is over: `request` says how."""

    def __init__(self, request: RequestFields) -> None:
        comments = [vote["comment"] for vote in request["decisions"] if vote["verdict"] == "deny"]
        # Of a denial the reason is the status once more: the words are those of who denied.
        why = "; ".join(comments) or request["end_reason"]
        super().__init__(f"request {request['id']} is {request['status']}{f': {why}' if why else ''}")
        self.request = request


class WaitTimeoutError(GrantBrokerError):
    """Something is still to happen to the request, and the time to wait for it is over."""

    def __init__(self, request: RequestFields, waited: timedelta) -> None:
        super().__init__(
            f"request {request['id']} is still {request['status']} after {waited.total_seconds():.0f} s"
        )
        self.request = request
