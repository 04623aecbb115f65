"""The functions' processes: warm, one for each call that runs at a time, started again after a crash."""

import json
import select
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from tests.local_stack.nursery import Child, Nursery
from tests.local_stack.template import Function

_STOP = 2.0  # seconds until a process that was told to end is killed
_START = 60.0  # seconds; many may start at the same time on few cores
_WAIT = 0.3  # seconds that a call waits for a busy process before another one is started


class FailedError(Exception):
    """An invocation without a result: the handler raised, its process died or its time ran out."""


class Worker:
    """One process. `log` takes its output, line by line."""

    def __init__(self, function: Function, child: Child, log: Callable[[str], None]) -> None:
        self._function, self._child = function, child
        self._ready, self._ended = False, False
        threading.Thread(target=self._collect, args=(log,), daemon=True).start()

    def _collect(self, log: Callable[[str], None]) -> None:
        with self._child.log as lines:
            for line in lines:
                log(line.rstrip("\n"))

    @property
    def alive(self) -> bool:
        """Whether it can take another event: one that is idle writes nothing, unless it ends."""
        return not self._ended and not (self._ready and self._written(0))

    def _written(self, seconds: float) -> bool:
        return bool(select.select([self._child.answers], [], [], seconds)[0])

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
            self._child.events.write(json.dumps(asked | {"memory": self._function.memory}) + "\n")
            self._child.events.flush()
        except (OSError, ValueError) as error:
            self._ended = True
            raise FailedError("the process died") from error
        return self._answer(timeout)

    def _answer(self, timeout: float) -> Any:
        if not self._written(timeout):
            self._ended = True
            self._child.kill()
            raise FailedError(f"timed out after {timeout} s")
        line = self._child.answers.readline()
        if not line:
            self._ended = True
            raise FailedError("the process died")
        answer = json.loads(line)
        if "error" in answer:
            raise FailedError(json.dumps(answer["error"]))
        return answer["result"]

    def hang_up(self) -> None:
        """Tell the process to end, whatever it is doing, without waiting for it."""
        try:
            self._child.events.close()
        except OSError:
            # It is gone already, with something left to tell it.
            self._ended = True

    def close(self) -> None:
        """End the process."""
        self.hang_up()
        if not self._ended and not self._written(_STOP):
            self._child.kill()
        self._ended = True


class Workers:
    """The processes of one function: idle ones are used again; up to `most` run where all are busy."""

    def __init__(
        self,
        function: Function,
        environment: Mapping[str, str],
        nursery: Nursery,
        *,
        most: int = 4,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.function, self._environment, self._nursery = function, environment, nursery
        self._most, self._log = most, log
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
            if not self._closed:
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
        try:
            child = self._nursery.fork(self.function.code, self._environment)
        except OSError as error:
            raise FailedError("no process could be started") from error
        return Worker(self.function, child, self._log)

    def hang_up(self) -> None:
        """Tell all processes to end, and start none any more."""
        with self._changed:
            self._closed = True
            for worker in [*self._idle, *self._busy]:
                worker.hang_up()
            self._changed.notify_all()

    def close(self) -> None:
        """End all processes."""
        self.hang_up()
        for worker in [*self._idle, *self._busy]:
            worker.close()
