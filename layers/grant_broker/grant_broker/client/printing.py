"""What the commands print: tables, times, and texts of others that must not steer the terminal."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def printable(text: str) -> str:
    """Nothing in somebody else's text may steer the terminal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table whose columns are as wide as their widest cell."""
    lines = [header, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(cells).rstrip()


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: fitted into a terminal, and whole lines for whatever else reads them."""
    if not sys.stdout.isatty():
        for line in table(header, rows):
            print(line)
        return
    # Loaded only where somebody looks at it.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(header):
        # The first names the row: it is there to be copied.
        shown.add_column(name, no_wrap=place == 0)
    for row in rows:
        shown.add_row(*(Text(printable(cell), overflow="fold") for cell in row))
    Console(file=sys.stdout).print(shown)


@contextmanager
def working(words: str) -> Iterator[None]:
    """Show on a terminal that something takes its time."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    with Console(stderr=True).status(Text(printable(words))):
        yield


def print_fields(fields: Sequence[tuple[str, str]]) -> None:
    """Print names and values, one pair a line; what has no value is left out."""
    known = [(name, value) for name, value in fields if value]
    width = max(len(name) for name, _ in known)
    for name, value in known:
        print(f"{name.ljust(width)}  {printable(value)}")


def print_json(value: object) -> None:
    """Print what the API answered. ASCII only, so that no text in it can steer the terminal."""
    print(json.dumps(value, indent=2, ensure_ascii=True))


def moment(text: str | None, now: datetime | None = None) -> str:
    """A time of the API with how far it is from now: 2026-01-31T09:30:00Z (in 2 h 5 min). Empty for None."""
    if text is None:
        return ""
    time = datetime.fromisoformat(text)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%SZ')} ({distance(time, now)})"


def distance(time: datetime, now: datetime | None = None) -> str:
    """How far a time is from now, such as `in 2 h 5 min` or `3 min ago`."""
    seconds = int((time - (now or datetime.now(UTC))).total_seconds())
    if seconds == 0:
        return "now"
    return f"in {_span(seconds)}" if seconds > 0 else f"{_span(-seconds)} ago"


def _span(seconds: int) -> str:
    """A duration in its two largest units."""
    place = next((place for place, (size, _) in enumerate(_UNITS) if seconds >= size), len(_UNITS) - 1)
    words: list[str] = []
    for size, unit in _UNITS[place : place + 2]:
        number, seconds = divmod(seconds, size)
        if number or not words:
            words.append(f"{number} {unit}")
    return " ".join(words)


def pairs(context: dict[str, str]) -> str:
    """An encryption context on one line."""
    return " ".join(f"{name}={value}" for name, value in context.items())
