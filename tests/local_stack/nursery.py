"""Where the functions' processes come from: forked from one that has loaded what they share."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tests.local_stack.template import ROOT


@dataclass(frozen=True)
class Child:
    """A forked process and our ends of its pipes."""

    pid: int
    events: TextIO
    answers: TextIO
    log: TextIO

    def kill(self) -> None:
        """End it at once."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


class Nursery:
    """Forks workers; it ends, and they do, when this process does."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        # Only what Python needs: nothing of this machine's AWS set-up.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "grant_broker")])
        self._kept = kept | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.local_stack.worker"],
                cwd=ROOT,
                env=self._kept,
                stdin=theirs.fileno(),
            )
        self._control, self._lock = ours, threading.Lock()
        self._pids = ours.makefile("r", encoding="ascii")

    def fork(self, code: Path, environment: Mapping[str, str]) -> Child:
        """A worker for a function's folder. Raises OSError where there can be none."""
        # Proxies are not for 127.0.0.1, and to ask macOS for its own after a fork ends the process.
        whole = self._kept | {"no_proxy": "*"} | dict(environment)
        asked = json.dumps({"code": str(code), "environment": whole}) + "\n"
        (their_events, events), (answers, their_answers), (log, their_log) = os.pipe(), os.pipe(), os.pipe()
        theirs = [their_events, their_answers, their_log]
        try:
            with self._lock:
                socket.send_fds(self._control, [asked.encode()], theirs)
                pid = int(self._pids.readline() or 0)
        finally:
            for file in theirs:
                os.close(file)
        if not pid:
            raise OSError("the process that forks workers is gone")
        return Child(
            pid,
            os.fdopen(events, "w", encoding="utf-8"),
            os.fdopen(answers, encoding="utf-8"),
            os.fdopen(log, encoding="utf-8", errors="replace"),
        )

    def close(self) -> None:
        """End the process that forks; its workers end with their own pipes."""
        self._pids.close()
        self._control.close()
        self._process.wait()
