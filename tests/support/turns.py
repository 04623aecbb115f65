"""Several processes on one clock that nobody waits for: who sleeps lets the next one go on."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_LOST = 60  # seconds of real time after which a test that hangs fails


@dataclass
class Turns:
    """One process is at work at a time. Time passes when all of them sleep, up to whoever wakes first."""

    now: datetime
    _wakes: dict[int, datetime] = field(default_factory=dict)
    _at_work: int | None = None
    _errors: list[BaseException] = field(default_factory=list)
    _turn: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self) -> datetime:
        return self.now

    def run(self, *processes: tuple[float, Callable[[], object]]) -> list[BaseException]:
        """Run processes, each from so many seconds after now; the errors that ended some."""
        for number, (after, _) in enumerate(processes):
            self._wakes[number] = self.now + timedelta(seconds=after)
        threads = [
            threading.Thread(target=self._run, args=(number, work), name=str(number), daemon=True)
            for number, (_, work) in enumerate(processes)
        ]
        with self._turn:
            self._pass_on()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_LOST)
            assert not thread.is_alive()
        errors, self._errors = self._errors, []
        return errors

    def sleep(self, seconds: float) -> None:
        """Let time pass; alone where this is no process of `run`."""
        name = threading.current_thread().name
        if not name.isdigit() or int(name) != self._at_work:
            self.now += timedelta(seconds=seconds)
            return
        with self._turn:
            self._wakes[int(name)] = self.now + timedelta(seconds=seconds)
            self._pass_on()
            self._wait(int(name))

    def _run(self, number: int, work: Callable[[], object]) -> None:
        with self._turn:
            self._wait(number)
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - a process may die of anything
            self._errors.append(error)
        with self._turn:
            self._pass_on()

    def _wait(self, number: int) -> None:
        assert self._turn.wait_for(lambda: self._at_work == number, _LOST)
        del self._wakes[number]

    def _pass_on(self) -> None:
        self._at_work = min(self._wakes, key=lambda number: (self._wakes[number], number), default=None)
        if self._at_work is not None:
            self.now = max(self.now, self._wakes[self._at_work])
        self._turn.notify_all()
