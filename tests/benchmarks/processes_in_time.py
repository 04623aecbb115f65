"""Processes on one simulated clock, one at work at a time: who sleeps lets the one go on that wakes next."""

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count


@dataclass(order=True)
class _Wake:
    """When a process begins or goes on; `number` keeps those of one moment in order."""

    at: datetime
    number: int
    go_on: Callable[[], object] = field(compare=False)


class Timeline:
    """What is to happen, in the order of time. `idle` is called before each, and may plan more."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._wakes: list[_Wake] = []
        self._numbers = count()
        self._control = threading.Semaphore(0)
        self._errors: list[BaseException] = []
        self.before_each: Callable[[], None] = lambda: None

    def plan(self, at: datetime, work: Callable[[], object]) -> None:
        """Begin a process at a time."""
        thread = threading.Thread(target=self._do, args=(work,), daemon=True)
        self._push(at, thread.start)

    def sleep(self, seconds: float) -> None:
        """Let time pass, in a process: the others go on meanwhile."""
        self.before_each()
        until = self.now + timedelta(seconds=seconds)
        if not self._wakes or until < self._wakes[0].at:
            self.now = until
            return
        woken = threading.Semaphore(0)
        self._push(until, woken.release)
        self._control.release()
        woken.acquire()

    def run(self, until: datetime) -> None:
        """Let everything happen up to a time; raises the first error of a process."""
        while not self._errors:
            self.before_each()
            if not self._wakes or self._wakes[0].at > until:
                return
            wake = heapq.heappop(self._wakes)
            self.now = max(self.now, wake.at)
            wake.go_on()
            self._control.acquire()
        raise self._errors[0]

    def _push(self, at: datetime, go_on: Callable[[], object]) -> None:
        heapq.heappush(self._wakes, _Wake(at, next(self._numbers), go_on))

    def _do(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told by `run`
            self._errors.append(error)
        self._control.release()
