"""Bad input over HTTP: a problem document that names the field, and nothing stored."""

from typing import Any

import pytest

from tests.end_to_end.conftest import Running

PARTNER = "arn:aws:iam::444455556666"


def _refused(stack: Running, body: Any, status: int, field: str | None, **more: Any) -> None:
    before = stack.call("partner", "GET", "/requests", query={"limit": "1"}).body["items"]
    answer = stack.call("partner", "POST", "/requests", body, **more)
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code"} <= set(answer.body)
    if field:
        assert field in [error["field"] for error in answer.body["errors"]], answer.body
    assert stack.call("partner", "GET", "/requests", query={"limit": "1"}).body["items"] == before


BAD: dict[str, list[Any]] = {
    "key": ["no_such_key", "arn:aws:kms:eu-central-1:111122223333:key/none", 1, None],
    "grantee": [
        f"{PARTNER}:root", f"{PARTNER}:role/*", f"{PARTNER}:group/all", PARTNER, "*", "", "AROA1234567890",
        "arn:aws:iam::777788889999:role/outsider", "arn:aws:iam::111122223333:role/key-admin",
        "lambda.amazonaws.com",
    ],
    "operations": [[], ["Decrypt"], ["CreateGrant"], ["encrypt"], "Encrypt", ["Encrypt", 1]],
    "duration": [
        "PT8H1S", "PT0S", "-PT1H", "P1Y", 3600, "P9999999999D", "PT0.5S", "two hours", "PT",
    ],
    "encryption_context": [
        {}, {f"k{n}": "v" for n in range(9)}, {"k": "v" * 385}, {"k" * 385: "v"}, {"k": 1},
        {"Key": "1", "key": "2"}, ["k"],
    ],
    "context_match": ["prefix"],
    "reason": ["", "x" * 1001, "two\nlines", "\u202egnp.exe"],
    "ticket": ["", "x" * 101],
    "starts_at": ["2000-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "tomorrow"],
    "more": ["x"],
}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), [(field, value) for field in BAD for value in BAD[field]])
def test_field(stack: Running, field: str, value: Any) -> None:
    """Each field that is wrong is named."""
    _refused(stack, stack.submission(**{field: value}), 400, field)


@pytest.mark.parametrize(
    "field", ["key", "grantee", "operations", "encryption_context", "duration", "reason"]
)
def test_missing_field(stack: Running, field: str) -> None:
    """Each field that is missing is named."""
    body = {name: value for name, value in stack.submission().items() if name != field}
    _refused(stack, body, 400, field)


def test_all_faults_at_once(stack: Running) -> None:
    """All faults of a body are told together."""
    answer = stack.call(
        "partner", "POST", "/requests", stack.submission(duration="PT0S", operations=[], more=1)
    )
    assert {error["field"] for error in answer.body["errors"]} == {"duration", "operations", "more"}


NO_OBJECT = [
    b"", b"{", b"[]", b"null", b'"text"', b'{"reason": NaN}', b'{"a": Infinity}', b'{"a": 1e999}',
    b"\xff\xfe{}", b'{"reason": "a", "reason": "b"}', b"{" + b'"a":[' * 30 + b"]" * 30 + b"}",
    b'{"reason": "\\ud800"}',
]  # fmt: skip


@pytest.mark.parametrize("body", NO_OBJECT)
def test_no_proper_json(stack: Running, body: bytes) -> None:
    """What is no proper JSON object is refused as such."""
    _refused(stack, body, 400, None)


def test_large_body(stack: Running) -> None:
    """A body over 64 KiB is too large, and so is one that the gateway does not even take."""
    _refused(stack, stack.submission(reason="x" * 70_000), 413, None)
    _refused(stack, b"x" * (10 * 1024 * 1024 + 1), 413, None)


@pytest.mark.parametrize("key", ["", "x" * 129, "kä"])
def test_idempotency_key(stack: Running, key: str) -> None:
    """An Idempotency-Key that is empty, too long or not ASCII is refused."""
    _refused(stack, stack.submission(), 400, "Idempotency-Key", headers={"Idempotency-Key": key})


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"status": "open"}, {"more": "1"}]
)
def test_query(stack: Running, query: dict[str, str]) -> None:
    """A query parameter that is wrong or unknown is named."""
    answer = stack.call("partner", "GET", "/requests", query=query)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, next(iter(query)))
