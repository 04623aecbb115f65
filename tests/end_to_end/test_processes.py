"""The commands themselves: their output, and what is left of them."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.end_to_end.conftest import started
from tests.local_stack.processes import descendants, runs
from tests.local_stack.template import ROOT


def test_demo() -> None:
    """The founding scenario comes out as the design says."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.local_stack", "demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SURPRISE" not in done.stdout
    assert "measured lateness" in done.stdout
    assert "\x1b" not in done.stdout


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
