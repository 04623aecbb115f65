"""What the documents tell third parties to write: the very lines, run as one of them."""

import base64
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from grant_broker.domain.times import format_time
from tests.end_to_end.conftest import Running
from tests.end_to_end.shell import environment, run
from tests.support.documents import PAGES, README, section

PAGE, SECURITY_TEAM = PAGES / "third-party.md", PAGES / "security-team.md"
# Where AWS's SDK for JavaScript is installed; empty where it is not.
NODE_MODULES = os.environ.get("NODE_PATH", "")


def blocks(document: Path, language: str) -> list[str]:
    """The document's examples in a language; of the README those for third parties."""
    text = section(README, "For third parties") if document == README else document.read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def covered(stack: Running) -> Iterator[None]:
    """The security team has approved ahead what the examples ask for."""
    asked = {
        "key": "partner_data",
        "account": "444455556666",
        "operations": ["Encrypt", "GenerateDataKey"],
        "encryption_context": {"dataset": "orders"},
        "max_duration": "PT2H",
        "valid_until": format_time(datetime.now(UTC) + timedelta(days=1)),
        "reason": "for the documents",
    }
    made = stack.call("alice", "POST", "/security/approvals", asked)
    assert made.status == 201, made.body
    yield
    stack.call("alice", "DELETE", f"/security/approvals/{made.body['id']}")


@pytest.mark.usefixtures("covered")
@pytest.mark.parametrize("document", [README, PAGE], ids=lambda document: str(document.name))
def test_python(stack: Running, document: Path, tmp_path: Path) -> None:
    """Every Python example works, one after the other, in a program of their own; nothing stays granted."""
    (tmp_path / "orders.csv").write_text("1,2,3\n")
    program = tmp_path / "program.py"
    program.write_text("\n".join(blocks(document, "python")))
    code, said = run(environment(stack, "partner"), f"{sys.executable} {program}", folder=tmp_path)
    assert (code, said) == (0, "")
    assert (tmp_path / "orders.csv.encrypted").exists() == (document == PAGE)
    newest: Any = stack.call("partner", "GET", "/requests", query={"limit": "1"}).body["items"][0]
    assert newest["reason"] == "nightly upload"
    assert newest["status"] in {"ending", "released"}


def test_the_story_is_short() -> None:
    """Asking, waiting, encrypting and releasing take at most eight lines."""
    [story] = blocks(README, "python")
    assert len([line for line in story.splitlines() if line.strip()]) <= 8


def examples(document: Path, title: str, language: str) -> list[str]:
    """The examples under a heading."""
    return re.findall(rf"^```{language}\n(.*?)^```", section(document, title), re.MULTILINE | re.DOTALL)


def example(title: str, language: str) -> str:
    """The one example under a heading of the third parties' page."""
    [found] = examples(PAGE, title, language)
    return found


def told(stack: Running) -> dict[str, str]:
    """The partner's shell, with the role that is to encrypt."""
    return environment(stack, "partner") | {"GRANTEE": stack.grantee("partner")}


def read_by_the_data_reader(stack: Running, blob: bytes) -> bytes:
    """What the EC2 role makes of something that was encrypted."""
    kms = stack.aws("data_reader", "kms")
    return bytes(kms.decrypt(CiphertextBlob=blob, EncryptionContext={"dataset": "orders"})["Plaintext"])


def newest_status(stack: Running) -> str:
    """The status of the request that was made last."""
    newest: Any = stack.call("partner", "GET", "/requests", query={"limit": "1"}).body["items"][0]
    return str(newest["status"])


@pytest.mark.usefixtures("covered")
@pytest.mark.parametrize(
    ("title", "program"), [("Command line", "grant-broker"), ("AWS CLI", "aws")], ids=["own", "aws"]
)
def test_command_line(stack: Running, tmp_path: Path, title: str, program: str) -> None:
    """The examples for a shell work, the EC2 role reads what they wrote, and the grant is given back."""
    if run(told(stack), f"{program} --version")[0]:
        pytest.skip(f"NOT SHOWN: {title} needs {program}, which is not here")
    code, said = run(told(stack), example(title, "bash"), folder=tmp_path)
    assert code == 0, said
    blob = (tmp_path / "record.encrypted").read_bytes()
    assert read_by_the_data_reader(stack, blob).rstrip() == b"a record"
    assert newest_status(stack) in {"ending", "released"}


@pytest.mark.usefixtures("covered")
@pytest.mark.skipif(not shutil.which("curl"), reason="NOT SHOWN: curl is not here")
def test_curl(stack: Running) -> None:
    """The example with curl encrypts a byte and gives the grant back."""
    code, said = run(told(stack), example("curl", "bash"))
    assert code == 0, said
    assert json.loads(said[: said.index("}") + 1])["CiphertextBlob"]
    assert newest_status(stack) in {"ending", "released"}


@pytest.mark.usefixtures("covered")
@pytest.mark.skipif(
    not (shutil.which("node") and NODE_MODULES),
    reason="NOT SHOWN: JavaScript needs node, and the AWS SDK in NODE_PATH, as .ci/run has it",
)
def test_javascript(stack: Running, tmp_path: Path) -> None:
    """The example with AWS's SDK for JavaScript encrypts what the EC2 role reads."""
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "program.mjs").write_text(example("JavaScript", "js"))
    code, said = run(told(stack), "node program.mjs", folder=tmp_path)
    assert code == 0, said
    assert read_by_the_data_reader(stack, base64.b64decode(said)) == b"a record"
    assert newest_status(stack) in {"ending", "released"}


def test_s3(stack: Running) -> None:
    """The grant for a bucket lets through what S3 asks for an upload in one part, and no Decrypt."""
    body = json.loads(example("S3", "json"))
    made: Any = stack.call("partner", "POST", "/requests", body)
    assert made.status == 201, made.body
    path = f"/requests/{made.body['id']}"
    assert stack.call("alice", "POST", f"/security{path}/decision", {"verdict": "approve"}).status == 200
    granted: Any = stack.call("partner", "POST", f"{path}/grant").body
    kms, key, context = stack.aws("partner", "kms"), granted["key"], body["encryption_context"]
    data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)
    an_object = {"aws:s3:arn": f"{context['aws:s3:arn']}/orders.csv"}
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=an_object)
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"], EncryptionContext=context)
    several = stack.call(
        "partner", "POST", "/requests", {**body, "operations": ["GenerateDataKey", "Decrypt"]}
    )
    assert (several.status, several.body["errors"][0]["field"]) == (400, "operations")
    assert stack.call("partner", "DELETE", f"{path}/grant").status == 202


def test_a_night_of_the_security_team(stack: Running) -> None:
    """What waits is looked at and approved for an hour, or denied; a grant is taken back."""
    look, approve, deny, revoke = examples(SECURITY_TEAM, "At two in the morning", "bash")
    night = environment(stack, "alice")
    approved, denied = (
        str(stack.call("partner", "POST", "/requests", stack.submission()).body["id"]) for _ in "ab"
    )
    code, said = run(night, look)
    assert code == 0, said
    assert {approved, denied} <= set(re.findall(r"\b[\da-f]{32}\b", said))
    wanted = ((approve, approved, "approved"), (deny, denied, "denied"), (revoke, approved, "revoked"))
    for words, request, status in wanted:
        code, said = run(night | {"ID": request}, words)
        assert (code, re.search(rf"^status +{status}$", said, re.MULTILINE) is not None) == (0, True), said
    body: Any = stack.call("partner", "GET", f"/requests/{approved}").body
    assert (body["duration"], body["end_reason"]) == ("PT1H", "the role's credentials have leaked")


def test_the_kill_switch(stack: Running) -> None:
    """What the example names is ended and refused until the block is lifted; nobody else is."""
    held = stack.granted("partner_colleague")
    [switch] = examples(SECURITY_TEAM, "The kill switch", "bash")
    code, said = run(environment(stack, "alice"), switch)
    assert (code, "its credentials have leaked" in said) == (0, True), said
    ended: Any = stack.call("partner_colleague", "GET", f"/requests/{held['id']}").body
    assert ended["status"] == "revoked"
    asked = stack.submission("partner_colleague")
    assert stack.call("partner_colleague", "POST", "/requests", asked).status == 403
    assert stack.call("partner", "POST", "/requests", stack.submission()).status == 201
    listed: Any = stack.call("alice", "GET", "/security/revocations").body["items"]
    assert stack.call("alice", "DELETE", f"/security/revocations/{listed[0]['id']}").status == 204
    assert stack.call("partner_colleague", "POST", "/requests", asked).status == 201


def test_approving_ahead(stack: Running) -> None:
    """The standing approval of the example covers what it should, and the command lists it."""
    [ahead] = examples(SECURITY_TEAM, "Approving ahead", "bash")
    code, said = run(environment(stack, "alice"), ahead)
    assert code == 0, said
    try:
        covered: Any = stack.call(
            "partner", "POST", "/requests", stack.submission(encryption_context={"dataset": "orders"})
        )
        assert (covered.body["status"], covered.body["approval"] in said) == ("active", True)
    finally:
        for made in set(re.findall(r"\b[\da-f]{32}\b", said)):
            stack.call("alice", "DELETE", f"/security/approvals/{made}", query={"revoke_active": "true"})
