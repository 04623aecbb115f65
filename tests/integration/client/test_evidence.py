"""What an auditor asks for of a period, out of the trail of real lives."""

import csv
import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grant_broker.aws.items import item_of
from grant_broker.client import main as command_line
from grant_broker.client.commands import audit
from grant_broker.domain.times import format_time
from grant_broker.domain.trail import GENESIS
from grant_broker.domain.usage import Sighting, Usage
from grant_broker.reconcile.run import reconcile
from tests.support.faults import lost
from tests.support.scene import START, InProcessStack

DAY = timedelta(days=1)
FORMULA = '=HYPERLINK("http://evil")'


@pytest.fixture(autouse=True)
def tables(monkeypatch: pytest.MonkeyPatch, scene: InProcessStack) -> None:
    """The command talks to the tables of the scene."""
    monkeypatch.setattr(audit, "clients", lambda: SimpleNamespace(dynamodb=lambda: scene.tables))


def command(scene: InProcessStack, *words: str) -> int:
    """The subcommand, on the scene's tables."""
    named = ["--request-table", scene.deployment.request_table]
    approvals = ["--approval-table", scene.deployment.approval_table]
    return command_line.main(["audit", *words, *named, *approvals])


def evidence(
    scene: InProcessStack, folder: Path, since: datetime = START, until: datetime = START + DAY
) -> dict[str, list[dict[str, Any]]]:
    """The populations of a period, by name."""
    times = ("--since", format_time(since), "--until", format_time(until))
    assert command(scene, "evidence", str(folder), *times) == 0
    return {path.stem: [json.loads(line) for line in path.open()] for path in folder.glob("*.jsonl")}


def test_a_grant_that_people_approved(scene: InProcessStack, tmp_path: Path) -> None:
    """Who asked and why, who approved, when it was made and ended, how late, and that KMS forgot it."""
    scene.limit(quorum=2)
    request_id = scene.pending(duration="PT10S", reason=FORMULA, ticket="INC-7")
    scene.decide(request_id, comment="checked")
    scene.decide(request_id, "bob")
    scene.take_up(request_id)
    scene.clock.sleep(13)
    scene.expire(1)
    scene.later(310)
    [row] = evidence(scene, tmp_path)["grants"]
    assert (row["request"], row["requester"]) == (request_id, scene.credentials("partner").arn)
    assert (row["reason"], row["ticket"], row["key"]) == (FORMULA, "INC-7", scene.key_arn)
    said = [(each["by"], each["what"], each["comment"]) for each in row["decisions"]]
    people = [scene.credentials(who).arn for who in ("alice", "bob")]
    assert said == [(people[0], "approve", "checked"), (people[1], "approve", "")]
    assert (row["made_at"], row["expires_at"]) == (
        format_time(START),
        format_time(START + timedelta(seconds=10)),
    )
    assert (row["end"], row["seconds_late"], row["end_asked_by"]) == ("expired", 3.0, None)
    assert row["absent_at"] is not None
    assert (row["drift"], row["break_glass"], row["reviews"]) == (False, False, [])
    assert row["last_hash"] == scene.request(request_id).last_hash


def test_what_was_seen_of_its_use(scene: InProcessStack, tmp_path: Path) -> None:
    """Beside a grant stand its first and last use that were seen; beside another that none was seen."""
    used, other = scene.active(), scene.active()
    seen = Usage(request_id=used).after([Sighting(START, certain=True)], START)
    assert seen is not None
    scene.fill(scene.deployment.request_table, [item_of(seen)])
    rows = {row["request"]: row for row in evidence(scene, tmp_path)["grants"]}
    told = ("first_seen_used", "last_seen_used", "seen_used_at_least", "seen_used_certainly")
    assert [rows[used][name] for name in told] == [format_time(START), format_time(START), 1, True]
    assert [rows[other][name] for name in told] == [None, None, 0, False]


def test_a_grant_that_was_approved_ahead_and_released(scene: InProcessStack, tmp_path: Path) -> None:
    """The standing approval that covered it stands in both rows; it is late by what its release waited."""
    scene.limit(margin="PT1H")
    approval = scene.approve_ahead().body["id"]
    request_id = scene.submit().body["id"]
    scene.clock.sleep(60)
    scene.release(request_id)
    scene.clock.sleep(2)
    scene.expire(1)
    found = evidence(scene, tmp_path)
    [row] = found["grants"]
    assert (row["standing_approval"], row["end"], row["seconds_late"]) == (approval, "released", 2.0)
    assert (row["end_asked_by"], row["absent_at"]) == (scene.credentials("partner").arn, None)
    [standing] = found["approvals"]
    assert (standing["approval"], standing["made_by"]) == (approval, scene.credentials("alice").arn)
    assert (standing["max_duration"], standing["withdrawn_at"], standing["votes"]) == ("PT4H", None, [])
    assert standing["windows"] is None


def test_late_by_the_margin(scene: InProcessStack, tmp_path: Path) -> None:
    """A grant that is to be ended before it expires is late from then on."""
    scene.limit(margin="PT3S")
    scene.active(duration="PT10S")
    scene.clock.sleep(8)
    scene.expire(1)
    [row] = evidence(scene, tmp_path)["grants"]
    assert row["seconds_late"] == 1.0


def test_the_population_is_whole(scene: InProcessStack, tmp_path: Path) -> None:
    """Every request is in one of the manifest's counts, each file is sealed, the trail.s digest is there."""
    live, before = scene.active(), scene.active(duration="PT10S", encryption_context={"tenant": "b"})
    scene.clock.sleep(10)
    scene.expire(1)
    scene.pending()
    since = scene.clock.now + timedelta(minutes=1)
    found = evidence(scene, tmp_path, since=since)
    assert [row["request"] for row in found["grants"]] == [live] != [before]
    assert found["grants"][0]["ended_at"] is found["grants"][0]["seconds_late"] is None
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    counts = manifest["requests"]
    assert counts == {
        "in_the_trail": 3, "without_a_grant": 1, "granted_and_over_before_or_made_after": 1,
        "granted_and_live_in_the_period": 1,
    }  # fmt: skip
    for file in manifest["files"]:
        data = (tmp_path / file["name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
    assert (manifest["whole"], manifest["trail"]["broken"], manifest["trail"]["fault"]) == (True, {}, None)
    assert command(scene, "verify") == 0


def test_the_same_from_an_export(
    scene: InProcessStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An auditor makes the same files of an export alone, proof of absence included."""
    scene.active(duration="PT10S")
    scene.clock.sleep(10)
    scene.expire(1)
    scene.later(310)
    first = evidence(scene, tmp_path / "a")
    capsys.readouterr()
    assert command(scene, "export") == 0
    export = tmp_path / "export.jsonl"
    export.write_text(capsys.readouterr().out)
    times = ("--since", format_time(START), "--until", format_time(START + DAY))
    folder = tmp_path / "b"
    assert command_line.main(["audit", "evidence", str(folder), "--file", str(export), *times]) == 0
    again = {path.stem: [json.loads(line) for line in path.open()] for path in folder.glob("*.jsonl")}
    assert again == first
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()


def test_keys_approvals_and_roles_over_time(scene: InProcessStack, tmp_path: Path) -> None:
    """A key as it was documented in the period, with its changes; approvals that held; who decided."""
    approval = scene.approve_ahead().body["id"]
    denied = scene.limit(quorum=2).status == 200 and scene.approve_ahead(who="bob").body["id"]
    path = f"/security/approvals/{denied}/decision"
    assert scene.call("alice", "POST", path, {"verdict": "deny", "comment": "no"}).status == 200
    scene.clock.advance(hours=30)
    later = scene.clock.now
    assert scene.call("alice", "DELETE", f"/security/approvals/{approval}").status == 204
    assert scene.security("DELETE", "").status == 204
    found = evidence(scene, tmp_path / "first")
    assert {row["approval"]: row["withdrawn_at"] for row in found["approvals"]} == {
        approval: format_time(later), denied: None
    }  # fmt: skip
    [key] = found["keys"]
    assert (key["name"], key["document"]["quorum"], key["closed_at"]) == (
        "partner_data",
        2,
        format_time(later),
    )
    assert [change["what"] for change in key["changes"]] == ["key_registered", "key_changed"]
    [role] = found["roles"]
    assert (role["role"].rpartition("/")[2][:14], role["decisions"]) == ("AWSReservedSSO", 5)
    assert role["persons"] == [scene.credentials(who).arn for who in ("alice", "bob")]
    # A day later the denied one is over, as the other and the key are from then on.
    found = evidence(scene, tmp_path / "second", since=later, until=later + DAY)
    assert [row["approval"] for row in found["approvals"]] == []
    assert len(found["keys"]) == 1
    found = evidence(scene, tmp_path / "third", since=later + DAY, until=later + 2 * DAY)
    assert found == {"grants": [], "approvals": [], "keys": [], "accounts": [], "roles": []}
    found = evidence(scene, tmp_path / "fourth", since=START - DAY, until=START)
    assert found["keys"] == []


def test_a_grant_that_nobody_asked_for(scene: InProcessStack, tmp_path: Path) -> None:
    """A grant of which reconcile found no record is in the population, as what it is."""
    request_id = scene.active()
    for item in scene.stored():
        place = {name: item[name] for name in ("pk", "sk")}
        scene.tables.delete_item(TableName=scene.deployment.request_table, Key=place)
    reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)
    [row] = evidence(scene, tmp_path)["grants"]
    assert (row["drift"], row["requester"], row["grantee"], row["end"]) == (
        True,
        None,
        scene.grantee("partner"),
        None,
    )
    assert row["request"] == request_id
    scene.clock.advance(hours=2)
    scene.expire(1)
    [row] = evidence(scene, tmp_path)["grants"]
    assert (row["end"], row["expires_at"], row["seconds_late"]) == ("expired", None, None)


def test_a_lost_answer(scene: InProcessStack, tmp_path: Path) -> None:
    """A request whose grant never came to light is no grant."""
    request_id = scene.approved()
    with scene.faults({"CreateGrant": lost}):
        scene.take_up(request_id)
    assert evidence(scene, tmp_path)["grants"] == []


def test_no_cell_is_a_formula(scene: InProcessStack, tmp_path: Path) -> None:
    """What a spreadsheet would take for a formula is text there, and whole in JSON Lines."""
    scene.active(reason=FORMULA)
    found = evidence(scene, tmp_path)
    assert found["grants"][0]["reason"] == FORMULA
    with (tmp_path / "grants.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    assert row["reason"] == f"'{FORMULA}"
    assert json.loads(row["encryption_context"]) == {"tenant": "a"}
    assert (row["ended_at"], row["break_glass"]) == ("", "false")


def test_a_broken_trail(scene: InProcessStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Evidence of a trail that somebody changed says so, in the manifest and by its exit code."""
    request_id = scene.active()
    approval = scene.approve_ahead().body["id"]
    scene.call("alice", "DELETE", f"/security/approvals/{approval}")
    for subject in (f"request#{request_id}", f"approval#{approval}"):
        event = {"pk": {"S": subject}, "sk": {"S": "event#000001"}}
        scene.tables.delete_item(TableName=scene.deployment.request_table, Key=event)
    times = ("--since", format_time(START), "--until", format_time(START + DAY))
    assert command(scene, "evidence", str(tmp_path), *times) == 1
    assert "manifest.json says where" in capsys.readouterr().err
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["whole"] is False
    assert list(manifest["trail"]["broken"]) == [f"approval#{approval}", f"request#{request_id}"]


@pytest.mark.parametrize("head", ["as it was", "made new", "gone"])
def test_a_trail_of_which_nothing_is_left(
    scene: InProcessStack, tmp_path: Path, capsys: pytest.CaptureFixture[str], head: str
) -> None:
    """Whose every event is gone is missed by the record, of each kind, and named as a gap."""
    scene.active()
    scene.approve_ahead()
    scene.call("alice", "PUT", "/security/accounts/444455556666", {"name": "acme"})
    asked = {"account": "666677778888", "reason": "incident", "block_for": "PT1M"}
    assert scene.call("bob", "POST", "/security/revocations", asked).status == 202
    deployment, items = scene.deployment, scene.tables.scan(TableName=scene.deployment.approval_table)
    kinds = {"key", "approval", "account", "revocation"}
    records = [
        item for item in items["Items"] if item["pk"]["S"].startswith(f"{item['sk']['S']}#")
        and item["sk"]["S"] in kinds
    ]  # fmt: skip
    assert {record["sk"]["S"] for record in records} == kinds
    subjects = {record["pk"]["S"] for record in records}
    for item in scene.tables.scan(TableName=deployment.request_table)["Items"]:
        if item["pk"]["S"] in subjects:
            place = {name: item[name] for name in ("pk", "sk")}
            scene.tables.delete_item(TableName=deployment.request_table, Key=place)
    for record in records if head != "as it was" else []:
        new = {"events": {"N": "0"}, "last_hash": {"S": GENESIS}} if head == "made new" else {}
        sort = {"sk": {"S": "elsewhere"}} if head == "gone" else {}
        scene.tables.delete_item(
            TableName=deployment.approval_table, Key={name: record[name] for name in ("pk", "sk")}
        )
        scene.put(deployment.approval_table, {**record, **new, **sort})
    assert command(scene, "verify") == 1
    said = capsys.readouterr().out
    assert "the export" not in said
    times = ("--since", format_time(START), "--until", format_time(START + DAY))
    assert command(scene, "evidence", str(tmp_path), *times) == 1
    broken = json.loads((tmp_path / "manifest.json").read_text())["trail"]["broken"]
    assert broken.keys() == subjects
    for subject in subjects:
        assert f"{subject!a} event 1: " in said


def test_what_cannot_be_done(
    scene: InProcessStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A period that ends before it begins, a folder that is none, tables out of reach: told in a line."""
    now, later = format_time(START), format_time(START + DAY)
    assert command(scene, "evidence", str(tmp_path), "--since", now, "--until", now) == 2
    (tmp_path / "file").write_text("")
    assert command(scene, "evidence", str(tmp_path / "file" / "x"), "--since", now, "--until", later) == 2
    assert "cannot read" in capsys.readouterr().err
    words = ["audit", "evidence", str(tmp_path), "--since", now, "--until", later, "--request-table", "none"]
    assert command_line.main(words) == 2
    assert "audit evidence" in capsys.readouterr().err
