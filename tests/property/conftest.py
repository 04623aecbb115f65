"""What the tests measured, shown at the end: the faults that were injected, tables of lateness."""

from typing import Any

import pytest

_REPORTS = pytest.StashKey[list[tuple[str, list[str]]]]()


def pytest_configure(config: pytest.Config) -> None:
    """A place for the reports of this process and of pytest-xdist's workers."""
    config.stash[_REPORTS] = []


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> list[tuple[str, list[str]]]:
    """Where a test leaves what it measured: a title and lines, shown at the end."""
    return request.config.stash[_REPORTS]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands its reports over."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["faults"] = session.config.stash[_REPORTS]


class _Workers:
    """What only exists with pytest-xdist."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """The controller takes a worker's reports."""
        node.config.stash[_REPORTS] += node.workeroutput.get("faults", [])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What the tests measured: lines of the same title together."""
    shown: dict[str, list[str]] = {}
    for title, lines in terminalreporter.config.stash[_REPORTS]:
        shown.setdefault(title, []).extend(lines)
    for title, lines in shown.items():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)


pytest_testnodedown = pytest.hookimpl(optionalhook=True)(lambda node: _Workers().pytest_testnodedown(node))
