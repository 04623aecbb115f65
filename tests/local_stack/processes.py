"""Which processes there are: from /proc where there is one, else from ps, which small images leave out."""

import subprocess
from pathlib import Path

_PROC = Path("/proc")


def _listed() -> dict[int, tuple[int, str]]:
    """Process id to parent and state."""
    if (_PROC / "self/stat").exists():
        return dict(filter(None, (_read(path) for path in _PROC.glob("[0-9]*/stat"))))
    command = ["ps", "-A", "-o", "pid=,ppid=,stat="]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ps itself
    rows = (line.split() for line in done.stdout.splitlines())
    return {int(pid): (int(parent), state) for pid, parent, state in rows}


def _read(path: Path) -> tuple[int, tuple[int, str]] | None:
    try:
        # The name, in parentheses, may hold anything.
        state, parent = path.read_text("utf-8", "replace").rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return int(path.parent.name), (int(parent), state)


def descendants(of: int) -> set[int]:
    """A process's children, theirs, and so on."""
    listed = _listed()
    found, waiting = set[int](), [of]
    while waiting:
        parent = waiting.pop()
        below = [pid for pid, (its, _) in listed.items() if its == parent]
        found.update(below)
        waiting += below
    return found


def runs(pid: int) -> bool:
    """Whether a process is at work: one that has ended may be listed until somebody asks for its status."""
    return not _listed().get(pid, (0, "Z"))[1].startswith("Z")
