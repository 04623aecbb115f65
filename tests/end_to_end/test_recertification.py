"""What stands for long owes looks, over signed HTTP and on the command line."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from grant_broker.client.exit_codes import REFUSED
from grant_broker.domain.times import format_time, parse_time
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running
from tests.support.limits import limits

CONTEXT = {"dataset": "looks"}
NAME = "looked-at"


@pytest.fixture
def line(stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(stack, monkeypatch, capsys)


@pytest.fixture
def key_arn(stack: Running) -> Iterator[str]:
    """A key that owes a look every month; closed after the test."""
    admin = stack.aws("key_admin", "kms")
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    arn = str(admin.create_key(Policy=policy)["KeyMetadata"]["Arn"])
    path = f"/security/keys/{arn.rpartition('/')[2]}"
    document = limits(name=NAME, review_every="P30D")
    assert stack.call("alice", "PUT", path, document).status == 201
    yield arn
    assert stack.call("alice", "DELETE", path).status == 204


@pytest.fixture
def approval(stack: Running, key_arn: str) -> Iterator[str]:
    """A standing approval on it for a year; withdrawn after the test, with what it covered."""
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=360)
    body = {
        "key": key_arn, "account": "444455556666", "operations": ["Encrypt"], "encryption_context": CONTEXT,
        "max_duration": "PT1H", "valid_until": format_time(until), "reason": "nightly",
    }  # fmt: skip
    made = stack.call("alice", "POST", "/security/approvals", body)
    assert made.status == 201
    path = f"/security/approvals/{made.body['id']}"
    yield str(made.body["id"])
    assert stack.call("alice", "DELETE", path, query={"revoke_active": "true"}).status == 204


def _let_months_pass(stack: Running, subject: str) -> None:
    """Move the times of a look back, as the table's owner, so that its grace is over in a second."""
    dynamodb, over_at = stack.aws("root", "dynamodb"), datetime.now(UTC) + timedelta(seconds=1)
    given = {"TableName": stack.tables["approvals"]}
    item = dynamodb.get_item(**given, Key={"pk": {"S": subject}, "sk": {"S": subject.partition("#")[0]}})[
        "Item"
    ]
    by = parse_time(item["unreviewed_after"]["S"]) - over_at
    times = ("reviewed_at", "review_due", "unreviewed_after")
    moved = {name: {"S": format_time(parse_time(item[name]["S"]) - by)} for name in times}
    dynamodb.put_item(**given, Item={**item, **moved})
    while datetime.now(UTC) <= over_at:
        time.sleep(0.05)


def _encrypts(stack: Running, key_arn: str) -> bool:
    given = {"KeyId": key_arn, "Plaintext": b"order", "EncryptionContext": CONTEXT}
    try:
        stack.aws("partner", "kms").encrypt(**given)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True


@pytest.mark.parametrize("late", ["key", "approval"])
def test_unseen_it_covers_nothing_more(
    stack: Running, line: CommandLine, key_arn: str, approval: str, late: str
) -> None:
    """Past its grace people must vote, and what lives runs on; somebody else than its maker looks at it."""
    names = {"key": key_arn.rpartition("/")[2], "approval": approval}
    asked = stack.submission(key=NAME, encryption_context=CONTEXT)
    live = stack.call("partner", "POST", "/requests", asked).body
    assert live["status"] == "active"
    _let_months_pass(stack, f"key#{key_arn}" if late == "key" else f"approval#{approval}")
    waits = stack.call("partner", "POST", "/requests", asked).body
    assert waits["status"] == "pending"
    assert stack.call("partner", "DELETE", f"/requests/{waits['id']}").status == 200
    assert _encrypts(stack, key_arn)
    sign = ("reviews", "sign-off", late, names[late], "--comment", "still needed")
    assert names[late] in str(line.json("bob", "reviews"))
    assert line.run("partner", *sign).code == REFUSED
    refused = line.run("alice", *sign)
    assert (refused.code, "nobody signs off their own" in refused.err) == (REFUSED, True)
    assert line.run("bob", *sign).code == 0
    assert names[late] not in str(line.json("bob", "reviews"))
    again = stack.call("partner", "POST", "/requests", asked).body
    assert again["status"] == "active"
    for each in (live, again):
        assert stack.call("partner", "DELETE", f"/requests/{each['id']}/grant").status == 202
        stack.until("released", each)
    assert not _encrypts(stack, key_arn)
