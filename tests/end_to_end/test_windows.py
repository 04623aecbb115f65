"""Later starts and recurring windows, over signed HTTP and on strict KMS."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.conftest import Running

CONTEXT = {"dataset": "windows"}
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def hours(since: timedelta, until: timedelta) -> dict[str, Any]:
    """A window of every day, by how far it is from now."""
    now = datetime.now(UTC)
    since_, until_ = ((now + far).strftime("%H:%M") for far in (since, until))
    return {"days": DAYS, "from": since_, "to": until_, "time_zone": "UTC"}


@pytest.fixture
def approved(stack: Running) -> Iterator[Any]:
    """Approves ahead within a window; withdrawn after the test."""
    made: list[str] = []

    def approve(window: dict[str, Any]) -> None:
        until = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {
            "key": "partner_data", "account": "444455556666", "operations": ["Encrypt"], "reason": "nightly",
            "encryption_context": CONTEXT, "max_duration": "PT8H", "valid_until": until, "windows": [window],
        }  # fmt: skip
        answer = stack.call("alice", "POST", "/security/approvals", body)
        assert (answer.status, answer.body["windows"]) == (201, [window])
        made.append(answer.body["id"])

    yield approve
    for approval_id in made:
        path = f"/security/approvals/{approval_id}"
        assert stack.call("alice", "DELETE", path, query={"revoke_active": "true"}).status == 204


def encrypts(stack: Running) -> bool:
    """Whether KMS lets the partner encrypt."""
    given = {"KeyId": stack.key, "Plaintext": b"order", "EncryptionContext": CONTEXT}
    try:
        stack.aws("partner", "kms").encrypt(**given)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True


def test_a_later_start_within_a_window(stack: Running, approved: Any) -> None:
    """Approved at once and not granted before its start; what would outlast the window waits for people."""
    approved(hours(-timedelta(minutes=5), timedelta(hours=2)))
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    later: dict[str, Any] = {"encryption_context": CONTEXT, "starts_at": start.strftime("%Y-%m-%dT%H:%M:%SZ")}
    asked = stack.call("partner", "POST", "/requests", stack.submission(duration="PT2S", **later))
    assert (asked.status, asked.body["status"], asked.body["grant"]) == (201, "approved", None)
    path = f"/requests/{asked.body['id']}"
    long = stack.call("partner", "POST", "/requests", stack.submission(duration="PT3H", **later)).body
    assert (long["status"], long["approval"]) == ("pending", None)
    early = stack.call("partner", "POST", f"{path}/grant")
    assert (early.status, "starts_at" in early.body["detail"], encrypts(stack)) == (409, True, False)
    while datetime.now(UTC) < start:
        time.sleep(0.05)
    assert stack.call("partner", "POST", f"{path}/grant").body["status"] == "active"
    assert encrypts(stack)
    stack.until("expired", asked.body)
    assert not encrypts(stack)


def test_out_of_hours(stack: Running, approved: Any) -> None:
    """Outside of the window nothing is granted, and the dry run says which hours there are."""
    window = hours(timedelta(hours=3), timedelta(hours=4))
    approved(window)
    asked = stack.submission(encryption_context=CONTEXT)
    query = {"dry_run": "true"}
    forecast = stack.call("partner", "POST", "/requests", asked, query=query).body
    assert forecast["outcome"] == "wait_for_approval"
    assert f"mon-sun {window['from']}-{window['to']} UTC" in forecast["reasons"][0]
    assert stack.call("partner", "POST", "/requests", asked).body["status"] == "pending"
    assert not encrypts(stack)
