"""Grants that would end together, over signed HTTP and on strict KMS: who is refused, and what fits."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from grant_broker.domain.ends_ahead import ON_TIME
from grant_broker.domain.times import format_time, parse_duration
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running
from tests.support.crowd import ends_due

CONTEXT = {"dataset": "crowded"}
THREE_HOURS = 10_800
_BATCH = 25  # BatchWriteItem
_RATE = 40
# As many as may lie on the agenda without a grant before reconcile says that they are not to be believed.
_FULL, _SECONDS = _RATE * (int(ON_TIME) + 1), 5


def write(stack: Running, requests: list[dict[str, Any]]) -> None:
    """Write or delete items of the request table, as the account's root."""
    root, table = stack.aws("root", "dynamodb"), stack.tables["requests"]
    for start in range(0, len(requests), _BATCH):
        root.batch_write_item(RequestItems={table: requests[start : start + _BATCH]})


@pytest.fixture
def crowd(stack: Running) -> Iterator[int]:
    """A grant of three hours that is made within the next seconds would end where all is taken."""
    first = int(time.time()) + 2 + THREE_HOURS
    counts = {first: _FULL, **dict.fromkeys(range(first + 1, first + _SECONDS), _RATE)}
    items = [item for due, count in counts.items() for item in ends_due(due, count, key_arn=stack.key)]
    write(stack, [{"PutRequest": {"Item": item}} for item in items])
    yield sum(counts.values())
    write(stack, [{"DeleteRequest": {"Key": {name: item[name] for name in ("pk", "sk")}}} for item in items])


@pytest.fixture
def approval(stack: Running) -> Iterator[str]:
    """The path of a standing approval for what is asked here."""
    made = stack.call(
        "alice",
        "POST",
        "/security/approvals",
        {
            "key": "partner_data",
            "account": "444455556666",
            "operations": ["Encrypt"],
            "encryption_context": CONTEXT,
            "max_duration": "PT4H",
            "valid_until": format_time(datetime.now(UTC) + timedelta(hours=1)),
            "reason": "nightly loads",
        },
    )
    yield f"/security/approvals/{made.body['id']}"
    stack.call("alice", "DELETE", f"/security/approvals/{made.body['id']}")


def _until_crowded(stack: Running, asked: dict[str, Any]) -> dict[str, Any]:
    """The dry run's answer once the seconds are there in which the crowd would be met."""
    deadline = time.monotonic() + 10
    while True:
        forecast = stack.call("partner", "POST", "/requests", asked, query={"dry_run": "true"}).body
        if forecast["outcome"] == "refuse":
            return dict(forecast)
        assert time.monotonic() < deadline, forecast


@pytest.mark.usefixtures("approval")
def test_ends_that_meet(
    stack: Running, crowd: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A covered submission is refused with durations that fit, and one of them is granted and can be used."""
    asked = stack.submission(encryption_context=CONTEXT, duration="PT3H")
    forecast = _until_crowded(stack, asked)
    assert "more grants end around" in forecast["reasons"][0]
    refused = stack.call("partner", "POST", "/requests", asked)
    assert (refused.status, refused.body["code"]) == (409, "conflict")
    shorter, longer = map(parse_duration, refused.body["durations"])
    assert THREE_HOURS - 10 < shorter < THREE_HOURS < longer < THREE_HOURS + 10
    assert all(each in refused.body["detail"] for each in refused.body["durations"])
    kms, encryption = (
        stack.aws("partner", "kms"),
        {"KeyId": stack.key, "Plaintext": b"x", "EncryptionContext": CONTEXT},
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.encrypt(**encryption)
    granted = stack.call("partner", "POST", "/requests", {**asked, "duration": refused.body["durations"][1]})
    assert (granted.status, granted.body["status"]) == (201, "active")
    assert kms.encrypt(**encryption)["CiphertextBlob"]
    stack.call("partner", "DELETE", f"/requests/{granted.body['id']}/grant")
    debt = stack.call("alice", "GET", "/security/debt")
    assert debt.status == 200
    assert sum(hour["due"] for hour in debt.body["hours"][2:5]) >= crowd
    assert 0 < debt.body["debt_seconds"] <= ON_TIME
    assert stack.call("partner", "GET", "/security/debt").status == 403
    line = CommandLine(stack, monkeypatch, capsys)
    shown = line.run("alice", "debt")
    assert shown.code == 0
    assert shown.fields["end rate"] == f"{_RATE} a second"
    assert any(int(row.split()[-1]) >= _FULL for row in shown.out.splitlines() if row[:1].isdigit())
    assert len(line.json("alice", "debt", "--minutes")["minutes"]) == 60
    denied = line.run("partner", "debt")
    assert (denied.code, "security team" in denied.err or "permitted" in denied.err) != (0, False)
