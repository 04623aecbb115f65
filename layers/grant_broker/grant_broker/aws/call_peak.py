"""How many calls of a kind a process makes in its busiest second, for quotas that are by the second."""

import threading
import time
from collections import Counter
from collections.abc import Callable


class CallPeak:
    """Counts calls by the second, from any thread; keeps the most of any second in any one Region."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._second = self._most = 0
        self._calls = Counter[str]()

    def count(self, region: str) -> None:
        """Count one call to a Region."""
        with self._lock:
            second = int(self._clock())
            if second != self._second:
                self._second, self._calls = second, Counter()
            self._calls[region] += 1
            self._most = max(self._most, self._calls[region])

    def take(self) -> int:
        """Give the most of any second since this was asked last."""
        with self._lock:
            most, self._most, self._calls = self._most, 0, Counter()
        return most
