"""What the local stack says once it is up, and the page that it shows."""

import http.client
import os
import re
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.end_to_end.conftest import Running
from tests.end_to_end.shell import environment, run
from tests.local_stack.template import ROOT
from tests.support import contract


@pytest.fixture(scope="module")
def said(stack: Running, stack_folder: Path) -> str:
    """The greeting of the stack that serves the tests."""
    assert stack.ready
    deadline = time.monotonic() + 10
    while "Stop with" not in (text := (stack_folder / "log").read_text("utf-8")):
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
    return text


def test_who_is_who(stack: Running, said: str) -> None:
    """Everybody whose credentials it hands out is named, with the account and a few words."""
    for name, person in stack.ready["people"].items():
        assert re.search(rf"^  {name} +{person['account']}  \w", said, re.MULTILINE), name


def test_the_first_calls(said: str) -> None:
    """The two first calls that it prints work as they stand, in any shell, and so does Python there."""
    asks, decides = (part.split("\n\n")[0] for part in said.split(":\n  export ")[1:])
    shell = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "layers" / "grant_broker")}
    code, answer = run(shell, f"export {asks}", folder=ROOT)
    assert code == 0, answer
    lists = f"{sys.executable} -c 'from grant_broker.client import Client; print(*Client().list_keys())'"
    code, answer = run(shell, f"export {asks.splitlines()[0]}\n{lists}", folder=ROOT)
    assert (code, "partner_data" in answer) == (0, True), answer
    code, answer = run(shell, f"export {decides}", folder=ROOT)
    assert (code, "my first grant" in answer) == (0, True), answer


def test_being_somebody_else(stack: Running, stack_folder: Path) -> None:
    """The page's lines make a shell that of anybody whom the ready file names."""
    page = (ROOT / ".github" / "docs" / "local-stack.md").read_text("utf-8")
    lines = page.split("```bash\n")[1].split("```")[0]
    assert "become bob" in lines
    became = lines.replace("'F'", f"'{stack_folder / 'ready.json'}'")
    code, answer = run(environment(stack, "partner"), became, "grant-broker call GET /security/keys")
    assert (code, "partner_data" in answer) == (0, True), answer


def test_the_contract_s_page(stack: Running, said: str) -> None:
    """It shows every operation, unsigned, and loads nothing."""
    api = urlsplit(stack.ready["api_url"])
    assert f"contract  http://{api.netloc}/openapi.html\n" in said
    connection = http.client.HTTPConnection(api.netloc, timeout=10)
    connection.request("GET", "/openapi.html")
    answer = connection.getresponse()
    html = answer.read().decode()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script|src=|https?://", html)
    for operation in contract.operations():
        assert f'id="{operation.name}"' in html
