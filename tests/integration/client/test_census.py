"""The census against the strict local KMS: every key and grant, and what would replace those made by hand."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest

from grant_broker.client.commands import census as command
from grant_broker.client.desired_state import complete, read_files
from grant_broker.client.exit_codes import CLOSED_PIPE
from grant_broker.client.main import main
from grant_broker.domain.submission import Submission
from tests.local_aws.cloud import AwsCall
from tests.support.faults import refused
from tests.support.scene import InProcessStack

REGION = "eu-central-1"
EVIL = '<script>alert("x")</script>\u202e\u001b[2J'
_PAIRS = {"EncryptionContextEquals": {"tenant": "a"}}


@pytest.fixture
def census(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the census as the account's root; its exit code and what it printed."""
    session = scene.cloud.session(scene.cloud.root())

    def run(*words: str, regions: str = REGION) -> tuple[int, str, str]:
        with mock.patch.object(boto3, "Session", return_value=session):
            code = main(["census", *(["--regions", regions] if regions else []), *words])
        return code, *capsys.readouterr()

    return run


def by_hand(scene: InProcessStack, grantee: str, **changes: Any) -> str:
    """Create a grant as the account's root; its id."""
    given = {"Operations": ["Encrypt"], "Constraints": _PAIRS, **changes}
    given = {name: value for name, value in given.items() if value is not None}
    made = scene.kms.create_grant(KeyId=scene.key_arn, GranteePrincipal=grantee, **given)
    return str(made["GrantId"])


def mixed(scene: InProcessStack) -> dict[str, str]:
    """Grants of every sort, an hour old; their ids by what they are."""
    scene.cloud.kms.readings.accepts_empty_constraints = True
    partner, reader = scene.grantee("partner"), scene.grantee("data_reader")
    scene.cloud.create_role("gone", [], "444455556666")
    linked = scene.cloud.create_role(
        "AWSServiceRoleForAutoScaling", [], path="/aws-service-role/autoscaling.amazonaws.com/"
    )
    lambda_pairs = {"EncryptionContextEquals": {"aws:lambda:FunctionArn": "arn:aws:lambda:x"}}
    made = {
        "good": by_hand(scene, partner),
        "copy": by_hand(scene, partner),
        "subset": by_hand(
            scene, reader, Operations=["Encrypt", "Decrypt"],
            Constraints={"EncryptionContextSubset": {"note": EVIL[:26]}},
        ),
        "free": by_hand(scene, reader, Constraints=None),
        "makes more": by_hand(scene, reader, Operations=["Encrypt", "CreateGrant"]),
        "root": by_hand(scene, "arn:aws:iam::444455556666:root"),
        "deleted": by_hand(scene, "arn:aws:iam::444455556666:role/gone"),
        "linked": by_hand(scene, linked),
        "lambda": by_hand(scene, reader, Constraints=lambda_pairs),
        "retired by linked": by_hand(scene, reader, RetiringPrincipal=linked, Operations=["Decrypt"]),
        "broker": scene.request(scene.active(encryption_context={"tenant": "b"})).grant_id or "",
    }  # fmt: skip
    scene.cloud.delete_role("arn:aws:iam::444455556666:role/gone")
    scene.clock.advance(days=40)
    return made


HUMAN = ("good", "copy", "subset", "free", "makes more", "root", "deleted")


@pytest.fixture
def now(scene: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The census is taken at the cloud's time."""

    class _Clock:
        @staticmethod
        def now(_zone: Any) -> Any:
            return scene.clock.now

    monkeypatch.setattr(command, "datetime", _Clock)


@pytest.mark.usefixtures("now")
def test_json(scene: InProcessStack, census: Callable[..., tuple[int, str, str]]) -> None:
    """Every grant is told once, with who made it and what is wrong with it."""
    made = mixed(scene)
    code, out, err = census("--output", "json")
    assert (code, err) == (0, "")
    assert out.isascii()
    report = json.loads(out)
    key = next(each for each in report["keys"] if each["key_arn"] == scene.key_arn)
    seen = {each["grant_id"]: each for each in key["grants"]}
    assert seen.keys() == set(made.values())
    told = {name: (seen[made[name]]["made_by"], seen[made[name]]["findings"]) for name in made}
    assert told == {
        "good": ("human", ["cross_account_grant"]),
        "copy": ("human", ["duplicate_grant", "cross_account_grant"]),
        "subset": ("human", ["grant_with_decrypt"]),
        "free": ("human", ["grant_without_constraint"]),
        "makes more": ("human", ["grant_with_create_grant"]),
        "root": ("human", ["cross_account_grant"]),
        "deleted": ("human", ["grant_to_deleted_principal"]),
        "linked": ("service", []),
        "lambda": ("service", []),
        "retired by linked": ("service", ["grant_with_decrypt"]),
        "broker": ("broker", ["cross_account_grant"]),
    }
    assert {each["age_days"] for each in seen.values()} == {40}
    assert seen[made["linked"]]["service"] == "autoscaling.amazonaws.com"
    assert seen[made["lambda"]]["service"] == "lambda"
    assert (key["manager"], key["state"], key["last_use"]["at"]) == ("CUSTOMER", "Enabled", None)
    assert key["aliases"] == ["alias/grant-broker/partner-data"]
    counts = report["counts"]
    assert (counts["human_grants"], counts["broker_grants"], counts["service_grants"]) == (7, 1, 3)
    assert (counts["oldest_human_days"], report["not_read"]) == (40, [])


def test_table(scene: InProcessStack, census: Callable[..., tuple[int, str, str]]) -> None:
    """A line for each grant made by hand, none for the others, and nothing steers the terminal."""
    made = mixed(scene)
    code, out, _ = census()
    assert code == 0
    assert {name for name in made if made[name] in out} == set(HUMAN)
    assert "7 grants made by hand, 1 by the broker, 3 by AWS services" in out
    assert "no use seen since 2030-01-01T12:00:00Z" in out
    assert all(line.isprintable() for line in out.splitlines())


def test_html(scene: InProcessStack, census: Callable[..., tuple[int, str, str]]) -> None:
    """A page that runs and loads nothing: what others wrote is text in it."""
    made = mixed(scene)
    code, out, _ = census("--output", "html")
    assert code == 0
    assert all(grant_id in out for grant_id in made.values())
    assert "<script" not in out
    assert "&lt;script&gt;" in out
    assert not re.search(r"\b(?:src|href|on\w+)=", out)
    assert "default-src 'none'" in out
    assert out.count("<section>") == out.count("</section>")


@pytest.mark.usefixtures("now")
def test_adopt(scene: InProcessStack, census: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """Each grant made by hand gets a request that the broker takes, or a reason; no service's is touched."""
    made = mixed(scene)
    folder = tmp_path / "adopted"
    code, _, err = census("--adopt", str(folder), "--duration", "4h")
    assert (code, err.startswith("2 grants can be replaced, 4 cannot")) == (0, True)
    [file] = (folder / "keys").iterdir()
    [wanted] = read_files([file]).keys
    document = complete(wanted.fields)
    assert (document.name, document.accounts) == (
        "grant-broker-partner-data",
        ("111122223333", "444455556666"),
    )
    assert (document.operations, document.context_match) == (("Encrypt", "Decrypt"), "subset")
    bodies = {path.stem: json.loads(path.read_text()) for path in (folder / "requests").rglob("*.json")}
    assert bodies.keys() == {made["good"], made["subset"]}
    assert {Submission.model_validate(body).duration for body in bodies.values()} == {4 * 3600}
    # The key is registered under another name: the request names it by its ARN.
    assert scene.call("partner", "POST", "/requests", bodies[made["good"]]).status == 201
    script = (folder / "revoke.sh").read_text()
    revoked = set(re.findall(r"--grant-id (\w+)", script))
    assert revoked == {made[name] for name in ("good", "copy", "subset", "deleted")}
    checked = ["sh", "-n", str(folder / "revoke.sh")]
    assert subprocess.run(checked, check=False).returncode == 0  # noqa: S603 - our own words
    left = [json.loads(line) for line in (folder / "left.jsonl").read_text().splitlines()]
    assert {each["grant_id"] for each in left} == {
        made[name] for name in ("free", "makes more", "root", "deleted")
    }
    assert all(each["why"] for each in left)
    everything = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    untouched = ("linked", "lambda", "retired by linked", "broker")
    assert not any(made[name] in everything for name in untouched)


def test_adopt_writes_into_nothing_that_is_there(
    census: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    """A folder of an earlier census is left as it is; one that cannot be made is told in a line."""
    code, _, _ = census("--adopt", str(tmp_path / "new"))
    assert code == 0
    code, _, err = census("--adopt", str(tmp_path / "new"))
    assert (code, "is there already" in err) == (2, True)
    (tmp_path / "file").touch()
    code, _, err = census("--adopt", str(tmp_path / "file" / "below"))
    assert (code, err.count("\n")) == (2, 1)


def test_reads_alone(scene: InProcessStack, census: Callable[..., tuple[int, str, str]]) -> None:
    """Nothing but reads is called."""
    mixed(scene)
    called = set()

    def note(call: AwsCall, _run: object) -> None:
        called.add(call.operation)

    scene.cloud.intercept = note
    assert census("--output", "json")[0] == 0
    assert called == {"ListKeys", "ListAliases", "DescribeKey", "ListGrants", "GetKeyLastUsage"}


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("ListKeys", REGION),
        ("ListAliases", f"aliases of {REGION}"),
        ("DescribeKey", "arn:aws:kms"),
        ("ListGrants", "arn:aws:kms"),
    ],
)
def test_what_cannot_be_read(
    scene: InProcessStack, census: Callable[..., tuple[int, str, str]], operation: str, what: str
) -> None:
    """A missing right is told at the end, in each form, and what can be read is read."""
    for output in ("table", "json", "html"):
        with scene.faults({operation: [refused("AccessDeniedException")] * 50}):
            code, out, _ = census("--output", output)
        assert (code, what in out, "AccessDenied" in out) == (1, True, True)


def test_another_region(
    scene: InProcessStack, census: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --regions all of KMS's are asked; one that does not let the account in is told."""
    monkeypatch.setattr(boto3.Session, "get_available_regions", lambda _self, _service: [REGION, "us-east-1"])
    code, out, _ = census("--output", "json", regions="")
    report = json.loads(out)
    assert (code, [each["what"] for each in report["not_read"]]) == (1, ["us-east-1"])
    assert scene.key_arn in {key["key_arn"] for key in report["keys"]}


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A profile that does not exist is one line and exit code 2."""
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    assert main(["census", "--profile", "nobody"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_closed_pipe(census: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads may have enough: the census ends as other commands do, without a word."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1) as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert census("--output", "html")[0] == CLOSED_PIPE
