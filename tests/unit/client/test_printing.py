"""What commands print: for a terminal and for programs."""

import io
from datetime import UTC, datetime
from unittest import mock

import pytest

from grant_broker.client.printing import moment, print_table, working

ROWS = [("a" * 20, "x\x1b[2J"), ("b", "y" * 20)]


class Terminal(io.StringIO):
    """A stream that people look at."""

    def isatty(self) -> bool:
        return True


def test_a_table_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody looks, each row is one line, whole; nothing in it steers a terminal."""
    print_table(("NAME", "VALUE"), ROWS)
    assert capsys.readouterr().out.splitlines() == [
        f"{'NAME'.ljust(20)}  VALUE",
        f"{'a' * 20}  x\\x1b[2J",
        f"{'b'.ljust(20)}  {'y' * 20}",
    ]


def test_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a table is fitted into its width: what names a row stays whole, nothing is lost."""
    monkeypatch.setenv("COLUMNS", "30")
    with mock.patch("sys.stdout", Terminal()) as shown:
        print_table(("NAME", "VALUE"), ROWS)
    text = shown.getvalue()
    assert "a" * 20 in text
    assert text.count("y") >= 20
    assert "x\x1b[2J" not in text


def test_work_that_takes_its_time() -> None:
    """On a terminal it is said what is waited for; elsewhere nothing is written."""
    with mock.patch("sys.stderr", Terminal()) as shown, working("waiting for people"):
        pass
    assert "waiting for people" in shown.getvalue()
    with mock.patch("sys.stderr", io.StringIO()) as quiet, working("waiting"):
        pass
    assert quiet.getvalue() == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, ""),
        ("2026-03-01T14:00:00Z", "2026-03-01T14:00:00Z (in 2 h)"),
        ("2026-03-01T14:05:09.123Z", "2026-03-01T14:05:09Z (in 2 h 5 min)"),
        ("2026-03-01T11:49:30Z", "2026-03-01T11:49:30Z (10 min 30 s ago)"),
        ("2026-03-04T11:59:59Z", "2026-03-04T11:59:59Z (in 2 d 23 h)"),
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z (now)"),
    ],
)
def test_moment(text: str | None, shown: str) -> None:
    """A time is shown in UTC, and how far it is."""
    assert moment(text, datetime(2026, 3, 1, 12, tzinfo=UTC)) == shown
