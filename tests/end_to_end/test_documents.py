"""What the documents tell third parties to write: the very lines, run as one of them."""

import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from grant_broker.domain.times import format_time
from tests.end_to_end.conftest import Running
from tests.end_to_end.shell import environment, run
from tests.support.documents import PAGES, README, section

PAGE = PAGES / "third-party.md"


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


@pytest.mark.usefixtures("covered")
def test_command_line(stack: Running, tmp_path: Path) -> None:
    """The example on the command line works in a shell, and the EC2 role reads what it wrote."""
    [example] = blocks(PAGE, "bash")
    code, said = run(environment(stack, "partner"), example, folder=tmp_path)
    assert code == 0, said
    kms = stack.aws("data_reader", "kms")
    blob = (tmp_path / "record.encrypted").read_bytes()
    shown = kms.decrypt(CiphertextBlob=blob, EncryptionContext={"dataset": "orders"})
    assert shown["Plaintext"] == b"a record" + os.linesep.encode()
