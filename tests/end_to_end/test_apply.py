"""Keys and standing approvals as code, against the stack."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grant_broker.domain.times import format_time
from tests.end_to_end.command_line import CommandLine, Done
from tests.end_to_end.conftest import Running
from tests.support.limits import limits

HOME = "111122223333"
Apply = Callable[..., Done]


@pytest.fixture
def line(stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(stack, monkeypatch, capsys)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where what should be is written."""
    return tmp_path / "desired.yaml"


@pytest.fixture
def key_arn(stack: Running) -> str:
    """A key that nobody has registered yet."""
    admin = stack.aws("key_admin", "kms")
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    return str(admin.create_key(Policy=policy)["KeyMetadata"]["Arn"])


def own(done: Done, name: str) -> list[str]:
    """What a plan says of one thing: its line and those indented below."""
    lines = done.out.splitlines()
    start = next(number for number, text in enumerate(lines) if f" {name}" in text)
    below = next((n for n, text in enumerate(lines[start + 1 :]) if not text.startswith("    ")), len(lines))
    return lines[start : start + 1 + below]


def test_the_founding_key(stack: Running, line: CommandLine, file: Path) -> None:
    """As it is nothing changes; with an operation more the plan says what that widens, and sends nothing."""
    file.write_text(json.dumps({"kind": "key", "key_arn": stack.key, **limits()}))
    same = line.run("alice", "apply", str(file), "--plan")
    assert (same.code, own(same, "key partner_data")) == (0, ["= key partner_data: as it is"])
    operations = [*limits()["operations"], "Decrypt"]
    file.write_text(f"kind: key\nkey_arn: {stack.key}\noperations: {json.dumps(operations)}\n")
    wider = line.run("alice", "apply", str(file), "--plan")
    assert wider.code == 5
    first, change = own(wider, "key partner_data")
    assert first == "~ key partner_data: change"
    assert change.startswith("    widens   operations: ")
    refused = line.run("alice", "apply", str(file))
    assert (refused.code, "This allows more than before. Apply it?" in refused.err) == (2, True)
    assert line.json("alice", "keys", "show", "partner_data")["operations"] == limits()["operations"]


def test_applied_by_two_persons(line: CommandLine, file: Path, key_arn: str) -> None:
    """A new key takes one person; widening it with a quorum of two takes both, who apply the same file."""
    name = f"code_{key_arn[-8:]}"
    text = f"kind: key\nkey_arn: {key_arn}\nname: {name}\naccounts: ['{HOME}']\nquorum: 2\n"
    file.write_text(text)
    made = line.run("alice", "apply", str(file), "--yes")
    assert (made.code, own(made, f"key {name}")) == (0, [f"+ key {name}: create"])
    assert line.run("bob", "apply", str(file)).code == 0
    file.write_text(text + "max_duration: PT12H\ncontext_match: subset\n---\n")
    first = line.run("alice", "apply", str(file), "--yes")
    assert (first.code, first.err) == (
        5,
        f"waits for votes: key {name}. Next: somebody else applies the same files\n",
    )
    plan = line.run("bob", "apply", str(file), "--plan")
    assert own(plan, f"key {name}")[0] == f"~ key {name}: change, 1 of 2 votes so far"
    assert line.run("bob", "apply", str(file), "--yes").code == 0
    assert line.json("bob", "keys", "show", name)["max_duration"] == "PT12H"
    file.write_text(
        text + "max_duration: PT1H\naccounts: ['{HOME}', '444455556666']\n".replace("{HOME}", HOME)
    )
    seen = line.run("alice", "apply", str(file), "--plan", "--output", "json").json
    step = next(each for each in seen["steps"] if each["name"] == f"key {name}")
    assert (step["action"], step["widened"], step["narrowed"]) == (
        "change",
        ["accounts"],
        ["max_duration", "max_continuous"],
    )
    drifted = own(line.run("alice", "apply", str(file), "--plan"), f"key {name}")
    assert [each.split()[0] for each in drifted[1:]] == ["narrows", "widens"]


def test_what_only_narrows(line: CommandLine, file: Path, key_arn: str) -> None:
    """What allows less is applied without a question."""
    name = f"less_{key_arn[-8:]}"
    text = f"kind: key\nkey_arn: {key_arn}\nname: {name}\naccounts: ['{HOME}']\n"
    file.write_text(text)
    assert line.run("alice", "apply", str(file), "--yes").code == 0
    file.write_text(text + "max_duration: PT1H\nnotify: all\n")
    done = line.run("alice", "apply", str(file))
    assert done.code == 0
    assert sorted(each.split()[0] for each in own(done, f"key {name}")[1:]) == ["changes", "narrows"]


def test_standing_approvals(line: CommandLine, file: Path, key_arn: str) -> None:
    """An approval of a new key of two is made by one and voted for by another; applied again it is there."""
    name = f"ahead_{key_arn[-8:]}"
    now = datetime.now(UTC)
    approval = {
        "kind": "approval",
        "key": name,
        "account": HOME,
        "operations": ["Encrypt"],
        "encryption_context": {"dataset": "code"},
        "max_duration": "PT1H",
        "valid_from": format_time(now + timedelta(hours=1)),
        "valid_until": format_time(now + timedelta(days=2)),
        "reason": "nightly",
    }
    key = f"kind: key\nkey_arn: {key_arn}\nname: {name}\naccounts: ['{HOME}']\nquorum: 2\n"
    file.write_text(f"{key}---\n{json.dumps(approval)}\n")
    called = f"approval of {HOME} on {name}"
    first = line.run("alice", "apply", str(file), "--yes")
    assert (first.code, own(first, called)) == (5, [f"+ {called}: create, 0 of 2 votes so far"])
    again = line.run("alice", "apply", str(file), "--yes")
    assert (again.code, own(again, called)) == (5, [f"+ {called}: vote, 1 of 2 votes so far"])
    assert line.run("bob", "apply", str(file), "--yes").code == 0
    there = line.run("bob", "apply", str(file))
    assert (there.code, own(there, called)) == (0, [f"= {called}: as it is"])
    file.write_text(key)
    assert "of 111122223333: not in these files" in line.run("bob", "apply", str(file)).out


def test_windows(line: CommandLine, file: Path, key_arn: str) -> None:
    """Hours are part of what an approval says: other hours are another approval. They are quoted."""
    name = f"hours_{key_arn[-8:]}"
    key = f"kind: key\nkey_arn: {key_arn}\nname: {name}\naccounts: ['{HOME}']\n---\n"
    approval = (
        f"kind: approval\nkey: {name}\naccount: '{HOME}'\noperations: [Encrypt]\nmax_duration: PT1H\n"
        "encryption_context: {dataset: code}\nreason: nightly\n"
        f"valid_until: '{format_time(datetime.now(UTC) + timedelta(days=2))}'\n"
        "windows: [{days: [mon, tue], from: %s, to: '06:00', time_zone: Europe/Berlin}]\n"
    )
    called = f"approval of {HOME} on {name}"
    file.write_text(key + approval % "'22:00'")
    assert own(line.run("alice", "apply", str(file), "--yes"), called) == [f"+ {called}: create"]
    assert own(line.run("alice", "apply", str(file), "--plan"), called) == [f"= {called}: as it is"]
    file.write_text(key + approval % "'21:00'")
    assert own(line.run("alice", "apply", str(file), "--plan"), called) == [f"+ {called}: create"]
    file.write_text(key + approval % "22:00")
    unquoted = line.run("alice", "apply", str(file), "--plan")
    assert (unquoted.code, "windows.0.from: " in unquoted.err, "(in quotes)" in unquoted.err) == (
        2,
        True,
        True,
    )


def test_faults(line: CommandLine, file: Path, key_arn: str) -> None:
    """Every fault of all files is told at once, with its place, and nothing is asked of the broker."""
    approval = f"kind: approval\nkey: a\naccount: {HOME}"
    file.write_text("\n---\n".join(["kind: key\nkey_arn: alias/x", "kind: lock", approval, "- 1"]))
    done = line.run("alice", "apply", str(file), str(file.with_name("none.yaml")))
    assert done.code == 2
    for words in (
        "document 1: key_arn: give the ARN of a key, not of an alias",
        "document 2: ",
        "document 3: account: ",
        " (in quotes)",
        "document 3: reason: ",
        "document 4: ",
        "none.yaml: [Errno 2] No such file or directory",
    ):
        assert words in done.err
    file.write_text(f"kind: key\nkey_arn: {key_arn}\nname: x\n")
    missing = line.run("alice", "apply", str(file))
    assert (missing.code, f"key {key_arn}: accounts: Field required" in missing.err) == (2, True)
    file.write_text("{")
    assert "desired.yaml: while parsing" in line.run("alice", "apply", str(file)).err


def test_no_right(line: CommandLine, file: Path, key_arn: str) -> None:
    """Who is no approver is told so."""
    file.write_text(f"kind: key\nkey_arn: {key_arn}\nname: x\naccounts: ['{HOME}']\n")
    assert line.run("partner", "apply", str(file), "--plan").code == 3


def test_an_account(line: CommandLine, file: Path) -> None:
    """A file says all of an account's entry: made, as it is, and changed; its bus is asked about."""
    other = "666677778888"
    file.write_text(f"kind: account\naccount: '{other}'\nname: globex\n")
    made = line.run("alice", "apply", str(file))
    assert (made.code, own(made, f"account {other}")) == (0, [f"+ account {other} globex: create"])
    assert own(line.run("alice", "apply", str(file), "--plan"), f"account {other}")[0].startswith("= ")
    bus = f"arn:aws:events:eu-central-1:{other}:event-bus/grants"
    file.write_text(f"kind: account\naccount: '{other}'\nname: globex\nevent_bus: {bus}\n")
    plan = line.run("alice", "apply", str(file), "--plan")
    assert plan.code == 5
    assert own(plan, f"account {other}")[1].startswith("    widens   event_bus: null -> ")
    assert line.run("alice", "apply", str(file)).code == 2
    assert line.run("alice", "apply", str(file), "--yes").code == 0
    assert line.json("alice", "accounts", "show", other)["event_bus"] == bus
    file.write_text(f"kind: account\naccount: '{other}'\nname: globex\ncontact: desk\n")
    assert own(line.run("alice", "apply", str(file), "--yes"), f"account {other}")[1].startswith(
        "    changes"
    )
    assert line.run("alice", "accounts", "remove", other, "--yes").code == 0
    file.write_text("---\n")
    assert f"? account {other}" not in line.run("alice", "apply", str(file), "--plan").out
