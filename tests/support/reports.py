"""What tests measured or tried, shown at the end of the run, whichever process they ran in."""

from typing import Any

import pytest

Report = list[tuple[str, list[str]]]
"""A title and its lines; those of one title are shown together."""


class Reports:
    """Collects the reports of this process and, as the controller of pytest-xdist, of its workers."""

    def __init__(self) -> None:
        self.found: Report = []

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker hands its reports over."""
        output: dict[str, Report] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["reports"] = self.found

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """The controller takes a worker's reports; one that crashed has none."""
        self.found += getattr(node, "workeroutput", {}).get("reports", [])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """A section for each title."""
        shown: dict[str, list[str]] = {}
        for title, lines in self.found:
            shown.setdefault(title, []).extend(lines)
        for title, lines in shown.items():
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.write_line(line)
