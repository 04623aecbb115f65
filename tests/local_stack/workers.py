"""The functions' processes: warm, one for each call that runs at a time, started again after a crash."""

import json
import os
import select
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from tests.local_stack.template import ROOT, Function

_START = 60.0  # seconds; many may start at the same time on few cores
_WAIT = 0.3  # seconds that a call waits for a busy process before another one is started


class FailedError(Exception):
    """An invocation without a result: the handler raised, its process died or its time ran out."""


class Worker:
    """One process. `log` takes its output, line by line."""

    def __init__(
        self, function: Function, environment: Mapping[str, str], log: Callable[[str], None]
    ) -> None:
        self._function, self._ready = function, False
        # Only the template's variables and what Python needs: nothing of this machine's AWS set-up.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "grant_broker")])
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "tests.local_stack.worker", str(function.code)],
            cwd=ROOT,
            env=kept | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"} | dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        threading.Thread(target=self._collect, args=(log,), daemon=True).start()

    def _collect(self, log: Callable[[str], None]) -> None:
        for line in self._process.stderr or ():
            log(line.rstrip("\n"))

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait_ready(self) -> None:
        """Return when the handler is loaded; FailedError where it cannot be."""
        if not self._ready:
            self._answer(_START)
            self._ready = True

    def invoke(self, event: dict[str, Any], timeout: float) -> Any:
        """The handler's result; FailedError. A process over its timeout (seconds) is ended, as on AWS."""
        self.wait_ready()
        asked = {"event": event, "timeout": timeout, "request_id": str(uuid.uuid4())}
        try:
            if self._process.stdin:
                self._process.stdin.write(json.dumps(asked | {"memory": self._function.memory}) + "\n")
                self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise FailedError("the process died") from error
        return self._answer(timeout)

    def _answer(self, timeout: float) -> Any:
        stdout = self._process.stdout
        if stdout is None or not select.select([stdout], [], [], timeout)[0]:
            self._process.kill()
            self._process.wait()
            raise FailedError(f"timed out after {timeout} s")
        line = stdout.readline()
        if not line:
            self._process.wait()
            raise FailedError("the process died")
        answer = json.loads(line)
        if "error" in answer:
            raise FailedError(json.dumps(answer["error"]))
        return answer["result"]

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._process.stdin:
            try:
                self._process.stdin.close()
            except OSError:
                self._process.kill()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Workers:
    """The processes of one function: idle ones are used again; up to `most` run where all are busy."""

    def __init__(
        self,
        function: Function,
        environment: Mapping[str, str],
        *,
        most: int = 4,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.function, self._environment, self._most, self._log = function, environment, most, log
        self._changed = threading.Condition()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._closed = False

    def start(self) -> None:
        """Start one process ahead of the first call, without waiting for it."""
        with self._changed:
            self._idle.append(self._made())

    def wait_ready(self) -> None:
        """Return when what was started is loaded; FailedError where it cannot be."""
        with self._changed:
            started = list(self._idle)
        for worker in started:
            worker.wait_ready()

    def invoke(self, event: dict[str, Any], timeout: float | None = None) -> Any:
        """Run the function; FailedError. `timeout` (seconds) is the template's where none is given."""
        limit = timeout or self.function.timeout
        worker = self._taken(limit)
        try:
            return worker.invoke(event, limit)
        except FailedError as error:
            self._log(f"{self.function.name}: {error}")
            raise
        finally:
            with self._changed:
                self._busy.discard(worker)
                if worker.alive and not self._closed:
                    self._idle.append(worker)
                self._changed.notify()

    def _taken(self, limit: float) -> Worker:
        with self._changed:
            if not self._free():
                self._changed.wait_for(self._free, _WAIT)
            if not self._free() and len(self._busy) >= self._most:
                self._changed.wait_for(self._free, limit)
            if self._closed or (not self._free() and len(self._busy) >= self._most):
                raise FailedError("no process is free")
            worker = self._idle.pop() if self._idle else self._made()
            self._busy.add(worker)
            return worker

    def _free(self) -> bool:
        self._idle = [worker for worker in self._idle if worker.alive]
        return bool(self._idle) or not self._busy or self._closed

    def _made(self) -> Worker:
        return Worker(self.function, self._environment, self._log)

    def close(self) -> None:
        """End all processes."""
        with self._changed:
            self._closed = True
            found = [*self._idle, *self._busy]
            self._changed.notify_all()
        for worker in found:
            worker.close()
