"""Schedules: the first run at the start, then one each interval, at most three at the same time."""

import threading
from collections.abc import Callable

from tests.local_stack.template import Schedule

_AT_ONCE = 3


class Scheduler:
    """Runs one schedule until it is stopped; a run that would be the fourth at the same time is left out."""

    def __init__(self, schedule: Schedule, run: Callable[[], None], seconds: float | None = None) -> None:
        self._run, self._every = run, seconds or schedule.seconds
        self._slots, self._stop = threading.Semaphore(_AT_ONCE), threading.Event()
        threading.Thread(target=self._loop, name=schedule.name, daemon=True).start()

    def _loop(self) -> None:
        while not self._stop.is_set():
            if self._slots.acquire(blocking=False):
                threading.Thread(target=self._once, daemon=True).start()
            self._stop.wait(self._every)

    def _once(self) -> None:
        try:
            self._run()
        finally:
            self._slots.release()

    def stop(self) -> None:
        """No further run."""
        self._stop.set()
