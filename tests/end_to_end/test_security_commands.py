"""The security team's commands against the stack, and what each says when it cannot."""

import io
import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest

from grant_broker.domain.times import format_time
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.conftest import Running
from tests.support.limits import limits

HOME = "111122223333"
CONTEXT = {"dataset": "reviewed"}


@pytest.fixture
def line(stack: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(stack, monkeypatch, capsys)


@pytest.fixture
def pending(stack: Running) -> str:
    """The id of a request that waits."""
    asked = stack.submission(encryption_context=CONTEXT, duration="PT2H", reason="upload")
    return str(stack.call("partner", "POST", "/requests", asked).body["id"])


@pytest.fixture
def key(stack: Running) -> str:
    """The name of a key of the home account that needs two votes for a change."""
    admin = stack.aws("key_admin", "kms")
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    key_id = str(admin.create_key(Policy=policy)["KeyMetadata"]["KeyId"])
    name = f"edited_{key_id[:8]}"
    document = limits(name=name, accounts=[HOME], quorum=2)
    assert stack.call("alice", "PUT", f"/security/keys/{key_id}", document).status == 201
    return name


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have somebody sit at the terminal who answers this."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def answering(words: str) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal(f"{words}\n"))

    return answering


def test_the_queue(line: CommandLine, pending: str) -> None:
    """What waits is listed with all that matters; one is looked at, shortened and approved."""
    rows = line.run("alice", "queue", "--account", "444455556666", "--key", "partner_data").out.splitlines()
    [row] = [row for row in rows if row.startswith(pending)]
    for shown in ("(in ", "444455556666 partner-application", "Encrypt for PT2H on partner_data"):
        assert shown in row
    assert "dataset=reviewed (equals)" in row
    assert pending in {each["id"] for each in line.json("bob", "queue")}
    seen = line.run("bob", "show", pending)
    # The stack's first check of the key may still be to come.
    assert seen.fields["preflight"] in {"fine", "unknown: can end"}
    assert seen.fields["preflight"] in row
    assert seen.fields["votes"] == "0 of 1"
    assert "submitted" in seen.out
    approved = line.run("alice", "approve", pending, "--for", "1h", "--comment", "fine by me")
    assert approved.fields["decision"].endswith("/alice, for PT1H: fine by me")
    again = line.run("alice", "approve", pending)
    assert (again.code, "you have voted already" in again.err) == (3, True)
    assert line.json("bob", "revoke", pending, "--reason", "changed", "--yes")["status"] == "revoked"
    assert line.run("bob", "revoke", pending, "--reason", "again", "--yes").code == 3


def test_denied(line: CommandLine, pending: str, answer: Callable[[str], None]) -> None:
    """What cannot be undone is asked about: nobody there is 2, no is 130, yes does it."""
    command = ("deny", pending, "--comment", "not this week")
    nobody = line.run("alice", *command)
    assert (nobody.code, "give --yes" in nobody.err) == (2, True)
    answer("n")
    assert line.run("alice", *command).code == 130
    answer("y")
    assert line.run("alice", *command).fields["status"] == "denied"


def test_longer_than_asked(line: CommandLine, pending: str) -> None:
    """A vote may not lengthen, which the API says in a sentence."""
    done = line.run("alice", "approve", pending, "--for", "8h")
    assert (done.code, "a vote may shorten, never lengthen" in done.err) == (3, True)


def test_no_right(line: CommandLine, pending: str) -> None:
    """Who is no approver is told so by each command, with the next step."""
    for words in (("queue",), ("approve", pending), ("keys", "managed"), ("approvals",), ("audit", "events")):
        done = line.run("partner", *words)
        assert (done.code, done.out) == (3, "")
        assert "Next: compare who calls" in done.err


def test_others(stack: Running, line: CommandLine) -> None:
    """An approver sees what else the grantee holds on the key."""
    held = stack.granted(encryption_context=CONTEXT)
    asked = stack.call("partner", "POST", "/requests", stack.submission(encryption_context=CONTEXT)).body
    seen = line.run("alice", "show", asked["id"])
    assert f"other grant  {held['id']} Encrypt until " in re.sub(" {2,}", "  ", seen.out)


def test_windows(line: CommandLine) -> None:
    """Hours are written as people say them, and shown so; what is none says what would be."""
    until = format_time(datetime.now(UTC) + timedelta(days=1))
    words = ("--key", "partner_data", "--account", "444455556666", "--context", "dataset=nights")
    more = ("--max-duration", "2h", "--valid-until", until, "--reason", "nightly")
    hours = ("--window", "fri-mon 22:00-06:00 Europe/Berlin", "--window", "wed 09:00-10:00 UTC")
    made = line.json("alice", "approvals", "create", *words, *more, *hours)
    assert made["windows"] == [
        {"days": ["mon", "fri", "sat", "sun"], "from": "22:00", "to": "06:00", "time_zone": "Europe/Berlin"},
        {"days": ["wed"], "from": "09:00", "to": "10:00", "time_zone": "UTC"},
    ]
    shown_ = line.run("bob", "approvals", "show", made["id"]).out
    assert "mon,fri-sun 22:00-06:00 Europe/Berlin; wed 09:00-10:00 UTC" in shown_
    assert line.run("bob", "approvals", "withdraw", made["id"], "--yes").code == 0
    any_time = line.json("alice", "approvals", "create", *words, *more)
    assert "any time" in line.run("bob", "approvals", "show", any_time["id"]).out
    assert line.run("bob", "approvals", "withdraw", any_time["id"], "--yes").code == 0
    for odd in ("always", "mon-fun 22:00-06:00 UTC", "mon 22:00-26:00 UTC"):
        refused = line.run("alice", "approvals", "create", *words, *more, "--window", odd)
        assert (refused.code, "give a window as mon-fri 22:00-06:00" in refused.err) == (2, True)
    atlantis = ("--window", "mon 22:00-23:00 Europe/Atlantis")
    unknown = line.run("alice", "approvals", "create", *words, *more, *atlantis)
    assert (unknown.code, "Europe/Atlantis: give a time zone" in unknown.err) == (3, True)


def test_approvals(line: CommandLine) -> None:
    """Approved ahead, looked at, listed, voted on in vain, withdrawn."""
    until = format_time(datetime.now(UTC) + timedelta(days=1))
    words = (
        "--key",
        "partner_data",
        "--account",
        "444455556666",
        "--context",
        "dataset=ahead",
        "--match",
        "subset",
    )
    validity = ("--match", "subset", "--max-duration", "2h", "--valid-until", until, "--reason", "nightly")
    made = line.json("alice", "approvals", "create", *words, *validity)
    assert (made["status"], made["max_duration"]) == ("active", "PT2H")
    now = format_time(datetime.now(UTC) + timedelta(hours=1))
    assert "active" in line.run("bob", "approvals", "create", *words, *validity, "--valid-from", now).out
    assert made["id"] in line.run("bob", "approvals").out
    assert "dataset=ahead (subset)" in line.run("bob", "approvals", "show", made["id"]).out
    for vote in (("approve",), ("deny", "--comment", "no")):
        assert line.run("bob", "approvals", vote[0], made["id"], *vote[1:]).code == 3
    assert line.run("bob", "approvals", "withdraw", made["id"], "--yes", "--revoke-active").err.startswith(
        "withdrawn"
    )


def test_a_standing_approval_of_two(line: CommandLine, key: str) -> None:
    """With a quorum of two a standing approval waits for the second person's vote."""
    until = format_time(datetime.now(UTC) + timedelta(days=1))
    words = ("--key", key, "--account", HOME, "--context", "a=b", "--max-duration", "1h", "--reason", "x")
    made = line.json("alice", "approvals", "create", *words, "--valid-until", until)
    assert made["status"] == "pending"
    assert "active" in line.run("bob", "approvals", "approve", made["id"]).out
    other = line.json("alice", "approvals", "create", *words, "--valid-until", until)
    assert line.json("bob", "approvals", "deny", other["id"], "--comment", "no")["status"] != "active"


def edited(monkeypatch: pytest.MonkeyPatch, *changes: tuple[str, str]) -> list[str]:
    """Have each visit of the editor replace one text by another; what it was shown."""
    shown: list[str] = []
    left = list(changes)

    def edit(text: str, extension: str) -> str | None:
        assert extension == ".yaml"
        shown.append(text)
        if not left:
            return None
        before, after = left.pop(0)
        assert before in text
        return text.replace(before, after)

    monkeypatch.setattr(click, "edit", edit)
    return shown


def test_a_key_is_edited(line: CommandLine, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change is said field by field, asked about where it widens, and takes effect by the second vote."""
    assert key in line.run("alice", "keys", "managed").out
    assert '"quorum": 2' in line.run("alice", "keys", "show", key, "--output", "json").out
    assert "max_duration      PT8H" in line.run("alice", "keys", "show", key).out
    edited(monkeypatch, ("max_duration: PT8H", "max_duration: PT12H"))
    nobody = line.run("alice", "keys", "edit", key)
    assert (nobody.code, "This widens max_duration, max_continuous. Send it?" in nobody.err) == (2, True)
    assert nobody.out == 'widens   max_duration: "PT8H" -> "PT12H"\n'
    edited(monkeypatch, ("max_duration: PT8H", "max_duration: PT12H"))
    first = line.run("alice", "keys", "edit", key, "--yes")
    assert (first.code, first.err) == (0, "1 of 2 votes: others vote with `grant-broker keys vote`\n")
    assert "1 of 2  max_duration,max_continuous" in line.run("bob", "keys", "proposals", key).out
    assert line.run("bob", "keys", "vote", key, "--yes").err == "changed\n"
    assert line.json("bob", "keys", "show", key)["max_duration"] == "PT12H"
    over = line.run("bob", "keys", "vote", key)
    assert (over.code, f"no change of {key} waits for votes" in over.err) == (2, True)


def test_an_edit_that_narrows(line: CommandLine, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only narrows is sent without a question."""
    edited(monkeypatch, ("max_duration: PT8H", "max_duration: PT1H"))
    done = line.run("alice", "keys", "edit", key)
    assert (done.code, done.out) == (0, 'narrows  max_duration: "PT8H" -> "PT1H"\n')


def test_faults_come_back(line: CommandLine, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read comes back to the editor with its faults; left so, nothing is sent."""
    shown = edited(monkeypatch, ("PT8H", "soon"), ("soon", "PT8H: ["), ("# ! no YAML", "# ! no YAML"))
    assert line.run("alice", "keys", "edit", key).err == "nothing changed\n"
    assert "# ! max_duration: give an ISO 8601 duration" in shown[1]
    assert "# ! no YAML: " in shown[2]
    assert "give an ISO 8601" not in shown[2]
    edited(monkeypatch, ("# The limits", "# These limits"))
    assert line.run("alice", "keys", "edit", key).err == "nothing changed\n"


def test_a_key_is_looked_into_and_closed(stack: Running, line: CommandLine, key: str) -> None:
    """Who can use it, by the broker; closed by name; what is not there is told with the next step."""
    assert "DataReader" in line.run("alice", "access", key).out
    assert line.json("alice", "access", stack.key)["findings"] is not None
    for words in ((), (key, "--key-arn", stack.key), ("--from-kms",)):
        assert "give KEY: a name, an id or an ARN" in line.run("alice", "access", *words).err
    assert "give a key's ARN" in line.run("key_admin", "access", key, "--from-kms").err
    for way in ((stack.key, "--from-kms"), ("--key-arn", stack.key)):
        itself = line.run("key_admin", "access", *way, "--output", "json").json
        assert "AccountRoot" in {item["through"].get("sid") for item in itself["items"]}
    assert line.run("alice", "keys", "close", key, "--yes").err == f"closed: {key}\n"
    gone = line.run("alice", "keys", "show", key)
    assert (gone.code, "Next: list them with `keys managed`" in gone.err) == (3, True)


def test_the_trail(stack: Running, line: CommandLine, pending: str) -> None:
    """Events of a request, as a table and as JSON."""
    assert "submitted" in line.run("alice", "audit", "events", "--request", pending).out
    ways = ("partner_data", stack.key, stack.key.rpartition("/")[2])
    first, *others = [line.json("alice", "audit", "events", "--key", way, "--limit", "1") for way in ways]
    assert (len(first), others) == (1, [first, first])
    newest: Any = line.json("alice", "audit", "events", "--limit", "1")
    assert len(newest) == 1
    assert json.dumps(newest)


def test_accounts(line: CommandLine, stack: Running) -> None:
    """An account is named, its bus set beside its name, shown with its requests, and taken away again."""
    other = "666677778888"
    bus = f"arn:aws:events:eu-central-1:{other}:event-bus/grants"
    nameless = line.run("alice", "accounts", "set", other, "--contact", "night desk")
    assert (nameless.code, "name" in nameless.err) == (3, True)
    assert nameless.err.endswith("Next: mend what is named\n")
    assert (
        line.run("alice", "accounts", "set", other, "--name", "globex", "--contact", "night desk").code == 0
    )
    entry = line.json("bob", "accounts", "set", other, "--event-bus", bus)
    assert entry == {"account": other, "name": "globex", "contact": "night desk", "event_bus": bus}
    assert line.json("bob", "accounts", "show", other) == entry
    asked = stack.submission(grantee=stack.ready["people"]["other_partner"]["grantee"])
    made = str(stack.call("other_partner", "POST", "/requests", asked).body["id"])
    rows = line.run("alice", "queue", "--account", other).out.splitlines()
    assert any(row.startswith(made) and f"globex {other} " in row for row in rows)
    shown = line.run("alice", "show", made)
    assert (shown.fields["account"], shown.fields["contact"]) == (f"{other} globex", "night desk")
    assert line.json("alice", "accounts", "set", other, "--event-bus", "")["event_bus"] is None
    assert "globex" in line.run("alice", "accounts").out
    assert line.run("alice", "accounts", "remove", other, "--yes").code == 0
    gone = line.run("alice", "accounts", "show", other)
    assert (gone.code, "Next: list what there is with `grant-broker accounts`" in gone.err) == (3, True)
    assert "account" not in line.run("alice", "show", made).fields
