"""The demo's output: one line for each call, and the first surprise ends it."""

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

_GREEN, _RED, _BOLD, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[0m"


class Surprise(Exception):  # noqa: N818 - it is no error of the program
    """Something came back that should not have."""


@dataclass
class Timeline:
    """Prints who called what, what came back and whether that was expected; colour on a terminal only."""

    started: float
    out: TextIO = field(default_factory=lambda: sys.stdout)
    calls: int = 0
    refused: int = 0

    def chapter(self, text: str) -> None:
        """What comes next."""
        print(f"\n{self._in(_BOLD, text)}", file=self.out, flush=True)

    def note(self, text: str) -> None:
        """A line between the calls."""
        print(f"{self._now()}  {text}", file=self.out, flush=True)

    def call(self, who: str, what: str, *, came: str, expected: str, refusal: bool) -> None:
        """One call; Surprise where something else came back than was expected."""
        self.calls, self.refused = self.calls + 1, self.refused + refusal
        fine = came == expected
        verdict = self._in(_GREEN, "as expected") if fine else self._in(_RED, f"SURPRISE, not {expected}")
        print(f"{self._now()}  {who:<20} {what:<58} {came:<28} {verdict}", file=self.out, flush=True)
        if not fine:
            raise Surprise(f"{who}: {what} gave {came}, not {expected}")

    def _now(self) -> str:
        return f"{time.monotonic() - self.started:6.2f} s"

    def _in(self, style: str, text: str) -> str:
        return f"{style}{text}{_PLAIN}" if self.out.isatty() else text
