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
        # Only what Python needs: nothing of this machine's AWS set-up.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "grant_broker")])
        self._kept = kept | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
        self._lock, self._closed = threading.Lock(), False
        self._start()

    def _start(self) -> None:
        self._control, theirs = socket.socketpair()
        self._pids = self._control.makefile("r", encoding="ascii")
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.local_stack.worker"],
                cwd=ROOT,
                env=self._kept,
                stdin=theirs.fileno(),
            )

    @property
    def pid(self) -> int:
        """The process that forks."""
        return self._process.pid

    def fork(self, code: Path, environment: Mapping[str, str]) -> Child:
        """A worker for a function's folder. Raises OSError where there can be none."""
        # Proxies are not for 127.0.0.1, and to ask macOS for its own after a fork ends the process.
        whole = self._kept | {"no_proxy": "*"} | dict(environment)
        asked = json.dumps({"code": str(code), "environment": whole}) + "\n"
        (their_events, events), (answers, their_answers), (log, their_log) = os.pipe(), os.pipe(), os.pipe()
        theirs = [their_events, their_answers, their_log]
        try:
            with self._lock:
                pid = self._asked(asked.encode(), theirs)
        finally:
            for file in theirs:
                os.close(file)
        return Child(
            pid,
            os.fdopen(events, "w", encoding="utf-8"),
            os.fdopen(answers, encoding="utf-8"),
            os.fdopen(log, encoding="utf-8", errors="replace"),
        )

    def _asked(self, asked: bytes, files: list[int]) -> int:
        if self._closed:
            raise ConnectionAbortedError("no more workers are wanted")
        try:
            return self._forked(asked, files)
        except OSError:
            # Somebody ended it: its workers go on, and the next come from a new one.
            self._end()
            self._start()
            return self._forked(asked, files)

    def _forked(self, asked: bytes, files: list[int]) -> int:
        socket.send_fds(self._control, [asked], files)
        pid = self._pids.readline()
        if not pid:
            raise ConnectionResetError("the process that forks workers is gone")
        return int(pid)

    def _end(self) -> None:
        self._pids.close()
        self._control.close()
        self._process.wait()

    def close(self) -> None:
        """End the process that forks; its workers end with their own pipes."""
        with self._lock:
            self._closed = True
            self._end()
