"""Every refusal is a problem document (RFC 9457), by type of error."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from grant_broker.api.problems import ANSWERS, problem
from grant_broker.api.responses import Answer
from grant_broker.domain import errors
from grant_broker.domain.errors import (
    Blocked,
    BrokerError,
    Conflict,
    EndsCrowded,
    Fault,
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

MEMBERS = ["type", "title", "status", "detail", "code", "errors"]


def body_of(error: Exception) -> dict[str, Any]:
    """An error's problem document."""
    body = problem(error).body
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize(
    ("error", "status", "code", "headers"),
    [
        (InvalidRequest(Fault("key", "no")), 400, "invalid_request", {}),
        (NotPermitted("no"), 403, "not_permitted", {}),
        (NotFound("no"), 404, "not_found", {}),
        (Conflict("the request is active"), 409, "conflict", {}),
        (Stale("changed"), 409, "conflict", {}),
        (KmsRefused("DisabledException", "disabled"), 409, "conflict", {}),
        (GrantNotFound("gone"), 409, "conflict", {}),
        (PreconditionFailed("changed"), 412, "precondition_failed", {}),
        (TooLarge("65536"), 413, "too_large", {}),
        (TooManyRequests("slow down", retry_after=60), 429, "too_many_requests", {"Retry-After": "60"}),
        (KmsUncertain("ThrottlingException", "slow"), 503, "unavailable", {"Retry-After": "5"}),
        (Unavailable("later", retry_after=2), 503, "unavailable", {"Retry-After": "2"}),
        (
            Unavailable("later", location="/requests/1"),
            503,
            "unavailable",
            {"Retry-After": "5", "Location": "/requests/1"},
        ),
    ],
)
def test_answer(error: BrokerError, status: int, code: str, headers: dict[str, str]) -> None:
    """Each error has its status, its code and its headers, and every member is always there."""
    answer, body = problem(error), body_of(error)
    assert (answer.status, body["code"]) == (status, code)
    assert answer.retry_after == (int(headers["Retry-After"]) if headers else None)
    assert answer.location == headers.get("Location")
    assert answer.content_type == "application/problem+json"
    assert list(body) == MEMBERS
    assert (body["status"], body["detail"]) == (status, str(error))
    assert body["type"] == f"urn:grant-broker:{code}"


def test_every_error() -> None:
    """No error that the broker raises is without an answer."""
    kinds = {it for it in vars(errors).values() if isinstance(it, type) and issubclass(it, BrokerError)}
    assert set(ANSWERS) == kinds - {BrokerError}


def test_errors() -> None:
    """All faults are listed by field, and empty where there are none."""
    body = body_of(InvalidRequest(Fault("key", "no"), Fault("duration", "too long")))
    assert body["errors"] == [
        {"field": "key", "message": "no"},
        {"field": "duration", "message": "too long"},
    ]
    assert body["detail"] == "key: no; duration: too long"
    assert body_of(NotFound("no"))["errors"] == []


def test_durations() -> None:
    """The durations that would fit are a list, in the API's form; no other problem has it."""
    answer = problem(EndsCrowded("too many end then", [7199, 7201]))
    assert (answer.status, body_of(EndsCrowded("x", []))["durations"]) == (409, [])
    assert body_of(EndsCrowded("x", [7199, 7201]))["durations"] == ["PT1H59M59S", "PT2H1S"]
    assert list(body_of(EndsCrowded("x", []))) == [*MEMBERS, "durations"]


@pytest.mark.parametrize("until", [datetime(2026, 1, 1, tzinfo=UTC), None])
def test_until_when_it_is_blocked(until: datetime | None) -> None:
    """A block says when it ends, null where somebody has to lift it; no other problem has that."""
    body = body_of(Blocked("blocked", until))
    assert (body["status"], body["code"]) == (403, "not_permitted")
    assert body["blocked_until"] == ("2026-01-01T00:00:00Z" if until else None)
    assert list(body) == [*MEMBERS, "blocked_until"]


def test_unexpected(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error is logged whole and answered as 503, without a word of it."""
    with caplog.at_level(logging.ERROR):
        answer = problem(ZeroDivisionError("a secret"))
    assert (answer.status, answer.retry_after) == (503, 5)
    assert "secret" not in answer.text
    assert "ZeroDivisionError: a secret" in caplog.text


def test_text() -> None:
    """A body is JSON in UTF-8; where there is none the text is empty."""
    assert Answer(204).text == ""
    assert json.loads(Answer(200, {"a": "ü"}).text) == {"a": "ü"}
    assert Answer(200, {"a": "ü"}).text == '{"a":"ü"}'
