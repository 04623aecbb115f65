"""Fresh processes, started in turn, each with the CPU time that it took."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from tests.local_stack.template import ROOT

T = TypeVar("T")
CHILDREN = Path(__file__).parent / "children"
# Nothing of this machine's Python: the standard library, then these folders.
_START = "import runpy, sys; sys.path[:0] = sys.argv[2:]; runpy.run_path(sys.argv[1], run_name='__main__')"

Stages = dict[str, float]
"""The CPU seconds that a process had used at the end of each of its stages."""


@dataclass(frozen=True)
class Child:
    """A script of `children`, with what it has on its path and in its environment."""

    script: str
    python: str
    path: Sequence[Path]
    environment: Mapping[str, str]

    def run(self) -> Stages:
        """Run it in a fresh process, and get its stages."""
        with tempfile.TemporaryDirectory() as folder:
            stages = Path(folder) / "stages.json"
            path = [str(part) for part in (*self.path, ROOT)]
            command = [self.python, "-I", "-S", "-c", _START, str(CHILDREN / f"{self.script}.py"), *path]
            told = {**self.environment, "BENCHMARK_STAGES": str(stages), "PATH": os.environ["PATH"]}
            ran = subprocess.run(command, env=told, capture_output=True, text=True, check=False)  # noqa: S603
            if ran.returncode or not stages.exists():
                raise RuntimeError(f"{self.script} failed: {ran.stdout}{ran.stderr}")
            found: Stages = json.loads(stages.read_text("utf-8"))
            return found


def apart(works: Sequence[Callable[[], T]]) -> list[T]:
    """Do each in a fresh process, which has the stack that it deploys for itself."""
    with ProcessPoolExecutor(max_workers=len(works), mp_context=get_context("spawn")) as pool:
        return [done.result() for done in [pool.submit(work) for work in works]]


def in_turn(children: Sequence[Child], rounds: int) -> list[list[Stages]]:
    """Run each child once a round; the first round, which fills the machine's caches, does not count."""
    ran = [[child.run() for child in children] for _ in range(rounds + 1)][1:]
    return [[each[place] for each in ran] for place in range(len(children))]
