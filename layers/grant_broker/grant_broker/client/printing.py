"""What the commands print: tables, and texts of others that must not steer the terminal."""

from collections.abc import Iterator, Sequence


def printable(text: str) -> str:
    """Nothing in somebody else's text may steer the terminal."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table whose columns are as wide as their widest cell."""
    lines = [header, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(cells).rstrip()
