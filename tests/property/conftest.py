"""The report of the faults that were injected."""

from typing import Any

import pytest

_REPORTS = pytest.StashKey[list[dict[str, int]]]()


def pytest_configure(config: pytest.Config) -> None:
    """A place for the reports of this process and of pytest-xdist's workers."""
    config.stash[_REPORTS] = []


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> list[dict[str, int]]:
    """Where a test leaves its counts."""
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
    """How much was done, and which faults were injected how often."""
    for counts in terminalreporter.config.stash[_REPORTS]:
        terminalreporter.section("faults injected")
        for name, count in counts.items():
            terminalreporter.write_line(f"{count:>8}  {name}")


pytest_testnodedown = pytest.hookimpl(optionalhook=True)(lambda node: _Workers().pytest_testnodedown(node))
