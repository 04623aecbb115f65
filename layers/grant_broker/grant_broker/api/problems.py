"""From error types to HTTP answers: one table, by type and never by message text (RFC 9457)."""

import logging

from grant_broker.api.responses import Answer
from grant_broker.domain.errors import (
    Blocked,
    BrokerError,
    Conflict,
    Contended,
    EndsCrowded,
    GrantNotFound,
    InvalidRequest,
    KmsRefused,
    KmsUncertain,
    NotFound,
    NotPermitted,
    PreconditionFailed,
    Stale,
    TooLarge,
    TooManyRequests,
    Unavailable,
)
from grant_broker.domain.times import format_duration, format_time

_LOG = logging.getLogger(__name__)

# Error type: status, code, title.
ANSWERS: dict[type[BrokerError], tuple[int, str, str]] = {
    InvalidRequest: (400, "invalid_request", "The request is not valid"),
    NotPermitted: (403, "not_permitted", "You may not do this"),
    Blocked: (403, "not_permitted", "The security team has blocked this"),
    NotFound: (404, "not_found", "There is no such thing"),
    Conflict: (409, "conflict", "The present state does not allow this"),
    Stale: (409, "conflict", "Another change came first"),
    KmsRefused: (409, "conflict", "KMS refused this"),
    GrantNotFound: (409, "conflict", "KMS knows no such grant"),
    EndsCrowded: (409, "conflict", "Too much ends at that time"),
    PreconditionFailed: (412, "precondition_failed", "It has changed since you read it"),
    TooLarge: (413, "too_large", "The body is too large"),
    TooManyRequests: (429, "too_many_requests", "Too many requests"),
    KmsUncertain: (503, "unavailable", "KMS does not answer"),
    Contended: (503, "unavailable", "Others came first"),
    Unavailable: (503, "unavailable", "The outcome is not known yet"),
}
_RETRY_AFTER = 5


def problem(error: Exception) -> Answer:
    """The problem document for an error. An unexpected one is logged whole and answered as 503."""
    if not isinstance(error, BrokerError):
        _LOG.error("unexpected error", exc_info=error)
        error = Unavailable("something went wrong here; nothing you sent was lost by it")
    status, code, title = ANSWERS[type(error)]
    body = {"type": f"urn:grant-broker:{code}", "title": title, "status": status, "detail": str(error)}
    faults = error.faults if isinstance(error, InvalidRequest) else ()
    errors = [{"field": fault.field, "message": fault.message} for fault in faults]
    more: dict[str, object] = {}
    if isinstance(error, EndsCrowded):
        more = {"durations": [format_duration(seconds) for seconds in error.durations]}
    if isinstance(error, Blocked):
        more = {"blocked_until": format_time(error.until) if error.until else None}
    return Answer(
        status=status,
        body={**body, "code": code, "errors": errors, **more},
        location=error.location if isinstance(error, Unavailable) else None,
        retry_after=getattr(error, "retry_after", _RETRY_AFTER) if status in {429, 503} else None,
        content_type="application/problem+json",
    )
