"""The functions' processes: warm, one for each call that runs at a time, started again after a crash."""

import json
import os
import select
import subprocess
import sys
import threading
import uuid
from collections import deque
from collections.abc import Mapping
from typing import Any

from tests.local_stack.template import ROOT, Function


class FailedError(Exception):
    """An invocation without a result: the handler raised, its process died or its time ran out."""


class Worker:
    """One process. `logs` takes its output, line by line."""

    def __init__(self, function: Function, environment: Mapping[str, str], logs: deque[str]) -> None:
        self._function = function
        # Only the template's variables and what Python needs: nothing of this machine's AWS set-up.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "grant_broker")])
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "tests.local_stack.worker", str(function.code)],
            cwd=ROOT,
            env=kept | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"} | dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._collect, args=(logs,), daemon=True).start()

    def _collect(self, logs: deque[str]) -> None:
        for line in self._process.stderr or ():
            logs.append(line.rstrip("\n"))

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._process.poll() is None

    def invoke(self, event: dict[str, Any], timeout: float) -> Any:
        """The handler's result; FailedError. A process over its timeout (seconds) is ended, as on AWS."""
        asked = {"event": event, "timeout": timeout, "request_id": str(uuid.uuid4())}
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise FailedError("the process has no pipes")
        try:
            stdin.write(json.dumps(asked | {"memory": self._function.memory}) + "\n")
            stdin.flush()
        except OSError as error:
            raise FailedError("the process died") from error
        if not select.select([stdout], [], [], timeout)[0]:
            self._process.kill()
            raise FailedError(f"timed out after {timeout} s")
        line = stdout.readline()
        if not line:
            raise FailedError("the process died")
        answer = json.loads(line)
        if "error" in answer:
            raise FailedError(json.dumps(answer["error"]))
        return answer["result"]

    def close(self) -> None:
        """End the process; a running invocation is cut off after 2 s."""
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
    """The processes of one function: idle ones are used again, and one is started where all are busy."""

    def __init__(self, function: Function, environment: Mapping[str, str]) -> None:
        self.function, self._environment = function, environment
        self.logs: deque[str] = deque(maxlen=10_000)
        self._lock, self._idle, self._busy, self._closed = (
            threading.Lock(),
            list[Worker](),
            set[Worker](),
            False,
        )
        self._idle.append(Worker(function, environment, self.logs))

    def invoke(self, event: dict[str, Any], timeout: float | None = None) -> Any:
        """Run the function; FailedError. `timeout` (seconds) is the template's where none is given."""
        worker = self._taken()
        try:
            return worker.invoke(event, timeout or self.function.timeout)
        finally:
            with self._lock:
                self._busy.discard(worker)
                if worker.alive and not self._closed:
                    self._idle.append(worker)

    def _taken(self) -> Worker:
        with self._lock:
            if self._closed:
                raise FailedError("the stack is stopping")
            self._idle = [worker for worker in self._idle if worker.alive]
            worker = self._idle.pop() if self._idle else None
            if worker is None:
                worker = Worker(self.function, self._environment, self.logs)
            self._busy.add(worker)
            return worker

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            self._closed = True
            found = [*self._idle, *self._busy]
        for worker in found:
            worker.close()
