"""What an auditor finds of requests in the tables and in the archive, and what breaches show."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from grant_broker.aws.clients import Clients
from grant_broker.client.commands import audit, audit_search
from grant_broker.client.main import main
from tests.local_aws.s3 import Bucket, Version
from tests.local_stack.deployment import STACK
from tests.support.archive import LATER, broken, closed, run
from tests.support.scene import InProcessStack

Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def as_auditor(
    scene: InProcessStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Exit code and lines of an `audit` command, by a role with AuditorPolicy and nothing else."""
    policy = json.loads(scene.deployment.template.outputs()["AuditorPolicy"])
    arn = scene.cloud.create_role("auditor", [policy])
    aws = Clients(scene.cloud.session(scene.cloud.session_for(arn, "auditor")).client)
    monkeypatch.setattr(audit, "clients", lambda: aws)
    monkeypatch.setattr(audit_search, "clients", lambda: aws)

    def ran(*arguments: str, places: tuple[str, ...] = ("--stack", STACK)) -> tuple[int, list[str]]:
        code = main(["audit", *arguments, *places])
        told = capsys.readouterr()
        return code, (told.out + told.err).splitlines()

    return ran


@pytest.fixture
def ids(scene: InProcessStack, bucket: Bucket) -> tuple[str, str]:
    """One request in the archive, and a later one in the tables."""
    first = closed(scene)
    scene.clock.now += LATER
    run(scene)
    assert len(bucket.objects) == 1
    return first, scene.pending(reason="later", duration="PT1H")


def test_verify(as_auditor: Run, ids: tuple[str, str]) -> None:
    """Every trail is whole, in the tables and in the archive."""
    del ids
    code, lines = as_auditor("verify")
    assert code == 0
    assert lines[0].endswith("trails, 0 broken")


def test_an_export_holds_both(as_auditor: Run, ids: tuple[str, str], tmp_path: Path) -> None:
    """It is verified as a file, and evidence is made of it, as if nothing had been moved."""
    code, lines = as_auditor("export")
    assert code == 0
    events = [json.loads(line)["event"] for line in lines if line.startswith('{"event"')]
    assert set(ids) <= {event["request_id"] for event in events}
    file = tmp_path / "trail.jsonl"
    file.write_text("\n".join(lines))
    assert as_auditor("verify", "--file", str(file), places=())[0] == 0
    period = ("--since", "2030-01-01T00:00:00Z", "--until", "2031-01-01T00:00:00Z")
    assert as_auditor("evidence", str(tmp_path / "e"), *period)[0] == 0
    [row] = [json.loads(line) for line in (tmp_path / "e" / "grants.jsonl").read_text().splitlines()]
    assert (row["request"], row["end"]) == (ids[0], "released")
    assert row["absent_at"]


def test_search(as_auditor: Run, scene: InProcessStack, ids: tuple[str, str]) -> None:
    """By request, key, account, person and time, in both places, oldest first."""

    def found(*options: str) -> list[str]:
        code, lines = as_auditor("search", *options)
        assert code == 0
        return [json.loads(line)["request"] for line in lines]

    first, second = ids
    person = scene.credentials("partner").arn
    day = f"{scene.clock.now - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    for options in (
        (), ("--key", scene.key_arn), ("--key", scene.key_id), ("--account", "444455556666"),
        ("--person", person), ("--person", scene.grantee("partner")),
    ):  # fmt: skip
        assert found(*options) == [first, second], options
    assert found("--until", day) == found("--request", first) == [first]
    assert found("--since", day) == found("--request", second) == [second]
    for options in (("--key", "other"), ("--account", "666677778888"), ("--person", "nobody")):
        assert found(*options) == []


def test_what_is_found(as_auditor: Run, scene: InProcessStack, bucket: Bucket, ids: tuple[str, str]) -> None:
    """Where it is, what it is about, and with --trail each of its events."""
    _, [line, *_] = as_auditor("search")
    found = json.loads(line)
    assert found == {
        "request": ids[0],
        "account": "444455556666",
        "key_arn": scene.key_arn,
        "requester_arn": scene.credentials("partner").arn,
        "requester_person": found["requester_person"],
        "grantee": scene.grantee("partner"),
        "status": "released",
        "created_at": "2030-01-01T12:00:00Z",
        "ended_at": found["ended_at"],
        "object_key": next(iter(bucket.objects)),
    }
    _, lines = as_auditor("search", "--trail")
    types = [json.loads(line).get("event", {}).get("type") for line in lines]
    assert types[:3] == [None, "submitted", "approved"]
    assert types[-2:] == [None, "submitted"]


def test_without_the_archive_it_is_said(as_auditor: Run, scene: InProcessStack, ids: tuple[str, str]) -> None:
    """By the tables alone what was moved cannot be verified: that is no breach, and exit code 2."""
    del ids
    tables = ("--request-table", scene.deployment.request_table)
    for arguments in (("verify",), ("search", "--trail")):
        code, lines = as_auditor(*arguments, places=tables)
        assert code == 2
        assert "--archive-bucket" in lines[-1]
    assert as_auditor("search", places=tables)[0] == 0


def _lost(bucket: Bucket) -> None:
    bucket.objects.clear()


def _altered(bucket: Bucket) -> None:
    [versions] = bucket.objects.values()
    versions.append(Version("v", (versions[0].body or b"").replace(b"nightly", b"mightly")))


def _doubled(bucket: Bucket) -> None:
    [(key, versions)] = list(bucket.objects.items())
    body = (versions[0].body or b"").replace(b"nightly", b"mightly")
    bucket.objects[key.replace("/01/01/", "/01/02/")] = [Version("v", body)]


def _spoilt(bucket: Bucket) -> None:
    [key] = bucket.objects
    bucket.objects[key.replace("/01/01/", "/01/02/")] = [Version("v", b"{}")]


@pytest.mark.parametrize(
    ("breach", "words"),
    [
        (_lost, "is not in the archive"),
        (_altered, "is not the one that was stored"),
        (_doubled, "tells another trail"),
        (_spoilt, "cannot be read"),
    ],
)
def test_a_breach_of_the_archive_is_found(
    scene: InProcessStack, bucket: Bucket, ids: tuple[str, str], breach: Any, words: str
) -> None:
    """An object that is missing, another, or one too many: the request's trail is broken."""
    breach(bucket)
    found = broken(scene)
    assert found.keys() == {f"request#{ids[0]}"}
    assert words in found[f"request#{ids[0]}"]


def test_a_breach_of_the_tables_is_found(scene: InProcessStack, ids: tuple[str, str]) -> None:
    """An event beside the tombstone; the tombstone gone; one that names what cannot be read."""
    subject, table = f"request#{ids[0]}", scene.deployment.request_table
    tombstone = scene.item(ids[0])
    event = next(item for item in scene.stored() if item["sk"]["S"] == "event#000001")
    scene.put(table, {**event, "pk": {"S": subject}, "subject": {"S": subject}})
    assert "beside the archive" in broken(scene)[subject]
    scene.tables.delete_item(TableName=table, Key={"pk": {"S": subject}, "sk": event["sk"]})
    scene.lose(ids[0])
    assert "neither its record nor an event" in broken(scene)[subject]
    scene.put(table, tombstone)
    assert broken(scene) == {}
