"""The commands themselves: their output, and what is left of them."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.end_to_end.conftest import started
from tests.local_stack.processes import descendants, runs
from tests.local_stack.template import ROOT
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
