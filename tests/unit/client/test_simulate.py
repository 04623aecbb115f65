"""`grant-broker simulate` on the command line."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from grant_broker.access_report import KEY_ACTIONS, OTHER_ACTIONS
from grant_broker.client.main import main
from tests.support.case_files import case_files

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::111122223333:role/app"


def line(effect: str = "Allow", **fields: Any) -> str:
    """One case: the key policy speaks of the caller with this effect."""
    use = {"Sid": "Use", "Effect": effect, "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"}
    case = {
        "id": "one",
        "key_arn": KEY,
        "principal_arn": ROLE,
        "action": "kms:Encrypt",
        "context": {"aws:PrincipalArn": ROLE},
        "key_policy": {"Version": "2012-10-17", "Statement": [use]},
        "identity_policies": [],
        "tags": ["ignored"],
        **fields,
    }
    return json.dumps({name: value for name, value in case.items() if value is not None})


def simulate(tmp_path: Path, *lines: str, words: tuple[str, ...] = ()) -> int:
    """Simulate a file of these lines; its exit code."""
    file = tmp_path / "cases.jsonl"
    file.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass") + b"\n")
    return main(["simulate", str(file), *words])


def test_each_line_is_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every case gets id, verdict, reason and what decided, in order; without an id its line number."""
    assert simulate(tmp_path, line(), "", line("Deny", id=None)) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "id": "one",
        "verdict": "Allowed",
        "reason": 'Statement "Use" of the key policy allows it to the caller.',
        "decided_by": [{"kind": "key_policy", "sid": "Use", "grant_id": None, "effect": "Allow"}],
    }
    assert (second["id"], second["verdict"]) == (3, "ExplicitlyDenied")


def test_grants_are_taken_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A case may bring grants, in ListGrants' shape, with the encryption context or the grant token used."""
    grant = {
        "GrantId": "g-1",
        "GranteePrincipal": ROLE,
        "Operations": ["Encrypt"],
        "Constraints": {"EncryptionContextEquals": {"tenant": "acme"}},
    }
    elsewhere = {"Effect": "Allow", "Principal": {"AWS": f"{ROLE}-2"}, "Action": "kms:*", "Resource": "*"}
    granted: dict[str, Any] = {"key_policy": {"Statement": elsewhere}, "grants": [grant]}
    pending = {**granted, "grants": [{**grant, "Constraints": None, "Pending": True, "GrantToken": "t"}]}
    lines = [
        line(**granted, encryption_context={"tenant": "acme"}),
        line(**granted, context={"aws:PrincipalArn": ROLE, "kms:EncryptionContext:tenant": "acme"}),
        line(**granted),
        line(**pending, grant_tokens=["t"]),
        line(**pending),
    ]
    assert simulate(tmp_path, *lines) == 0
    answers = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    allowed, refused = "Allowed", "ImplicitlyDenied"
    assert [each["verdict"] for each in answers] == [allowed, allowed, refused, allowed, refused]
    assert answers[0]["decided_by"] == [{"kind": "grant", "sid": None, "grant_id": "g-1", "effect": "Allow"}]


def test_explained_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--explain says who calls what, the verdict and why; control characters are shown, not sent."""
    assert simulate(tmp_path, line(id="a\u001b[2J"), words=("--explain",)) == 0
    assert capsys.readouterr().out == (
        f"a\\x1b[2J: {ROLE} calls kms:Encrypt: Allowed. "
        'Statement "Use" of the key policy allows it to the caller.\n'
    )


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes at column 2"),
        ("\ud800", "not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "line: Input should be"),
        (line(action=None), "action: Field required"),
        (line(action=""), "action: '' is no KMS action on a key: give one such as kms:Encrypt"),
        (line(action="Encrypt"), "action: 'Encrypt' is no KMS action on a key"),
        (line(action="kms:Encypt\u001b"), "action: 'kms:Encypt\\x1b' is no KMS action on a key"),
        (line(action="kms:ListKeys"), "action: kms:ListKeys is not asked of a key"),
        (line(key_arn="alias/app"), "key_arn: 'alias/app': give a key's ARN, no id and no alias"),
        (
            line(key_arn=KEY.replace(":aws:", ":aws-cn:")),
            f"key_arn: 'arn:aws-cn{KEY[7:]}': the broker serves",
        ),
        (line(key_policy={"Version": "2012-10-18", "Statement": []}), "a policy's Version is"),
        (line(identity_policies=[{"Statment": [], "Statement": []}]), "a policy has no element Statment"),
        (line(grants=[{"Operations": 7}]), "grants.0.Operations: Input should be"),
        (line(key_policy={}), "a policy is an object with a Statement"),
        (line(principal_arn="bob\u001b"), "not the ARN of an IAM principal: bob\\x1b"),
        (line(context={"aws:PrincipalArn": {}}), "a condition value must be a string"),
    ],
)
def test_bad_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: str, fault: str) -> None:
    """A line that cannot be read is reported by number; the others are answered, and the exit code is 2."""
    assert simulate(tmp_path, line(), bad, line("Deny")) == 2
    output = capsys.readouterr()
    assert [json.loads(each)["verdict"] for each in output.out.splitlines()] == [
        "Allowed",
        "ExplicitlyDenied",
    ]
    assert output.err.startswith(f"line 2: {fault}")
    assert len(output.err.splitlines()) == 1


@pytest.mark.parametrize("file", case_files("simulate-odd.jsonl"), ids=str)
def test_odd_lines_from_outside(tmp_path: Path, capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """What is no KMS action, key ARN or policy is refused in words, and decided by nobody."""
    lines = file.read_text("utf-8").splitlines()
    assert simulate(tmp_path, *lines) == 2
    output = capsys.readouterr()
    assert (output.out, len(output.err.splitlines())) == ("", len(lines))


@pytest.mark.parametrize("action", sorted(KEY_ACTIONS))
def test_every_action_on_a_key_is_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    """KMS's actions are known, in any case."""
    assert simulate(tmp_path, line(action=action), line(action=action.upper())) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_actions_are_those_of_kms() -> None:
    """Every operation of botocore's model of KMS is an action here; ReEncrypt is two."""
    model = botocore.session.get_session().get_service_model("kms")
    operations = {f"kms:{name}" for name in model.operation_names} - {"kms:ReEncrypt"}
    permissions_alone = {"kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:SynchronizeMultiRegionKey"}
    assert {*KEY_ACTIONS, *OTHER_ACTIONS} == operations | permissions_alone


@pytest.mark.parametrize(
    "changes",
    [
        {"CreationDate": 1782000000.0, "Name": ""},
        {"CreationDate": "2026-06-21T00:00:00+00:00", "RetiringPrincipal": None, "Name": None},
        {"Constraints": None, "GranteePrincipal": "AROAEXAMPLEEXAMPLE123"},
        {
            "Constraints": {},
            "KeyId": KEY.rpartition("/")[2],
            "IssuingAccount": "arn:aws:iam::111122223333:root",
        },
        {"Operations": None},
        {
            "GranteePrincipal": None,
            "GranteeServicePrincipal": "rds.eu-central-1.amazonaws.com",
            "RetiringServicePrincipal": "rds.eu-central-1.amazonaws.com",
            "Constraints": {"SourceArn": "arn:aws:rds:eu-central-1:111122223333:db:x"},
        },
    ],
)
def test_every_entry_of_list_grants_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any]
) -> None:
    """Whatever ListGrants shows, of a service's grant or an old one, is read, and the others still count."""
    good = {"GrantId": "g-1", "GranteePrincipal": ROLE, "Operations": ["Encrypt"]}
    odd = {"GrantId": "g-2", "KeyId": KEY, "GranteePrincipal": ROLE, "Operations": ["Sign"], **changes}
    absent = {name: value for name, value in odd.items() if value is not None}
    null = {**odd, "Operations": absent.get("Operations", [])}
    for shown in (absent, null):
        assert simulate(tmp_path, line(key_policy={"Statement": []}, grants=[shown, good])) == 0
        assert json.loads(capsys.readouterr().out)["decided_by"][0]["grant_id"] == "g-1"


def test_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be opened is named, with exit code 2."""
    assert main(["simulate", str(tmp_path / "none")]) == 2
    assert "none: No such file or directory" in capsys.readouterr().err


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The file - is the standard input."""
    monkeypatch.setattr(sys, "argv", ["grant-broker", "simulate", "-"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line().encode())))
    assert main() == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "Allowed"


def test_closed_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever reads the answers may stop in the middle of them: no word of it, and no wrong file."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert simulate(tmp_path, *[line()] * 200) == 141
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("words", [[], ["imagine"], ["simulate"]])
def test_what_is_no_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Without a known subcommand and its arguments the usage is shown, with exit code 2."""
    assert main(words) == 2
    assert "Usage: grant-broker" in capsys.readouterr().err


def test_simulating_needs_no_aws_library() -> None:
    """simulate loads neither boto3 nor botocore: it starts fast and works without them."""
    check = (
        "import sys; from grant_broker.client.main import main; main(['simulate', '-']); "
        "sys.exit(any(name in sys.modules for name in ('boto3', 'botocore')))"
    )
    done = subprocess.run(  # noqa: S603 - this interpreter, a fixed program
        [sys.executable, "-c", check],
        input=line(),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3] / "layers" / "grant_broker",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["verdict"] == "Allowed"
