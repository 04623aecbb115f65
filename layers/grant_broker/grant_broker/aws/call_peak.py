"""How many calls of a kind a process makes in its busiest second, for quotas that are by the second."""

import threading
import time
from collections.abc import Callable


class CallPeak:
    """Counts calls by the second, from any thread; keeps the most of any second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._second = self._calls = self._most = 0

    def count(self) -> None:
        """Count one call."""
        with self._lock:
            second = int(self._clock())
            self._calls = self._calls + 1 if second == self._second else 1
            self._second, self._most = second, max(self._most, self._calls)

    def take(self) -> int:
        """Give the most of any second since this was asked last."""
        with self._lock:
            most, self._most, self._calls = self._most, 0, 0
        return most
