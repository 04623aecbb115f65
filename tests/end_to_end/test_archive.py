"""A closed request on its way to the archive and in it, over signed HTTP."""

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from grant_broker.aws.clients import Clients
from grant_broker.reconcile.archive import archive_closed
from grant_broker.reconcile.broker import ReconcileBroker
from grant_broker.reconcile.judging import Judging
from grant_broker.reconcile.settings import ReconcileSettings
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running
from tests.local_stack.deployment import STACK
from tests.local_stack.template import Template
from tests.support.ageing import age, forget_pass


@pytest.fixture
def line(stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(stack, monkeypatch, capsys)


def _mover(stack: Running, outputs: dict[str, str]) -> ReconcileBroker:
    """What reconcile's pass over closed requests works with: its own role's credentials, over HTTP."""
    template = Template.read(
        {"TrustedAccounts": [], "ApproverRoleIds": [], "Archive": "yes", "ArchiveAfterDays": 30},
        account="111122223333",
        region=stack.ready["region"],
        stack=STACK,
    )
    told = {**template.functions()["reconcile"].environment, "ARCHIVE_BUCKET": outputs["ArchiveBucketName"]}
    told |= {
        "AWS_REGION": stack.ready["region"],
        "REQUEST_TABLE": stack.tables["requests"],
        "APPROVAL_TABLE": stack.tables["approvals"],
    }
    client = partial(stack.session("functions.reconcile").client, endpoint_url=stack.ready["aws_url"])
    return ReconcileBroker.build(ReconcileSettings.from_environment(told), aws=Clients(client))


def _outputs(stack: Running) -> dict[str, str]:
    [found] = stack.aws("root", "cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}


def test_a_closed_request_is_found_again(stack: Running, line: CommandLine) -> None:
    """It leaves the tables, nobody can take it back from the archive, and an auditor finds it there."""
    once = {"headers": {"Idempotency-Key": "history-1"}}
    asked = stack.submission(encryption_context={"dataset": "history"})
    made = stack.call("partner", "POST", "/requests", asked, **once).body
    assert stack.call("partner", "DELETE", f"/requests/{made['id']}").status == 200
    outputs, tables = _outputs(stack), stack.aws("root", "dynamodb")
    age(tables, stack.tables["requests"], made["id"], days=40)
    mover = _mover(stack, outputs)
    # The stack's own run may be under way, and begin no other pass for an hour.
    for _ in range(10):
        forget_pass(tables, stack.tables["requests"])
        archive_closed(Judging(mover, datetime.now(UTC)), lambda: True)
        gone = stack.call("partner", "GET", f"/requests/{made['id']}")
        if gone.status != 200:
            break
    assert (gone.status, "in the archive" in gone.body["detail"]) == (404, True)
    assert stack.call("other_partner", "GET", f"/requests/{made['id']}").body["detail"] != gone.body["detail"]
    assert stack.call("partner", "POST", "/requests", asked, **once).status == 409
    where = ("--stack", STACK, "--region", stack.ready["region"])
    done = line.run("root", "audit", "search", "--request", made["id"], "--trail", *where)
    assert done.code == 0, done.err
    found, *events = map(json.loads, done.out.splitlines())
    assert (found["status"], found["account"]) == ("withdrawn", "444455556666")
    assert [each["event"]["type"] for each in events] == ["submitted", "withdrawn"]
    for who in ("functions.reconcile", "functions.requests", "root"):
        _refused(stack, who, outputs["ArchiveBucketName"], found["object_key"])


def _refused(stack: Running, who: str, bucket: str, key: str) -> None:
    """Neither over it, nor away with it."""
    s3: Any = stack.aws(who, "s3")
    for call, more in ((s3.put_object, {"Body": b"{}"}), (s3.delete_object, {})):
        with pytest.raises(ClientError, match="AccessDenied"):
            call(Bucket=bucket, Key=key, **more)
