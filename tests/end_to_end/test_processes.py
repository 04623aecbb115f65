"""The commands themselves: their output, and what is left of them."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.end_to_end.conftest import started
from tests.end_to_end.shell import run
from tests.local_stack.processes import descendants, runs
from tests.local_stack.template import ROOT
from tests.support import contract
from tests.support.documents import README, section


def _timeless(output: str) -> str:
    """Leave out of the demo's output seconds, ids of requests and the width of its columns."""
    return re.sub(r" +", " ", re.sub(r"[\da-f]{8}…", "ID…", re.sub(r"\d+\.\d+ s", "TIME", output)))


def test_demo() -> None:
    """The founding scenario and what else the broker does come out as designed; the README shows a part."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.local_stack", "demo", "--full"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SURPRISE" not in done.stdout
    assert "measured lateness" in done.stdout
    assert "\x1b" not in done.stdout
    shown = re.search(r"```\n(.*?)```", section(README, "What it shows"), re.DOTALL)
    assert shown is not None
    assert _timeless(shown[1]) in _timeless(done.stdout)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    """However it is stopped, no process of the stack stays behind, a scheduled run that waits neither."""
    with started(tmp_path) as (_, process):
        workers = descendants(process.pid)
        assert len(workers) > 3
        process.send_signal(number)
        process.wait(20)
        deadline = time.monotonic() + 10
        while left := [pid for pid in workers if runs(pid)]:
            assert time.monotonic() < deadline, left
            time.sleep(0.05)
        assert process.returncode == (-number if number == signal.SIGKILL else 0)


def serve(*options: str) -> tuple[int, str]:
    """Exit code and errors of a stack that cannot be served."""
    command = [sys.executable, "-m", "tests.local_stack", "serve", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return done.returncode, done.stderr


def page_of(api_url: str) -> tuple[str, str]:
    """The contract's page, beside the API: its security policy and its text."""
    connection = http.client.HTTPConnection(urlsplit(api_url).netloc, timeout=10)
    connection.request("GET", "/openapi.html")
    answer = connection.getresponse()
    return answer.headers["Content-Security-Policy"], answer.read().decode()


def test_what_it_says(tmp_path: Path) -> None:
    """It names everybody, and the two first calls that it prints work as they stand, in any shell."""
    with started(tmp_path) as (ready, _):
        deadline = time.monotonic() + 10
        while "Stop with" not in (text := (tmp_path / "log").read_text("utf-8")):
            assert time.monotonic() < deadline, text
            time.sleep(0.05)
        for name, person in ready["people"].items():
            assert re.search(rf"^  {name} +{person['account']}  \w", text, re.MULTILINE), name
        asks, decides = (part.split("\n\n")[0] for part in text.split(":\n  export ")[1:])
        shell = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "layers" / "grant_broker")}
        code, answer = run(shell, f"export {asks}", folder=ROOT)
        assert code == 0, answer
        code, answer = run(shell, f"export {decides}", folder=ROOT)
        assert (code, "my first grant" in answer) == (0, True), answer
        policy, html = page_of(ready["api_url"])
        assert f"contract  {ready['api_url'].removesuffix('/live')}/openapi.html\n" in text
    assert "default-src 'none'" in policy
    assert not re.search(r"<script|src=|https?://", html)
    for operation in contract.operations():
        assert f'id="{operation.name}"' in html


def test_what_cannot_be_served(tmp_path: Path) -> None:
    """A busy port and a wrong path are one line that says what to give instead."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        code, said = serve("--aws-port", port)
    assert (code, "Traceback" in said) == (2, False)
    assert said.endswith(f"port {port} is in use: give another one, or 0 for a free one\n")
    code, said = serve("--ready-file", str(tmp_path / "none" / "ready.json"))
    assert (code, "Traceback" in said) == (2, False)
    assert "No such file or directory: give a file that can be written" in said
