"""The picture of what falls due."""

import pytest

from grant_broker.client.console.ends_ahead import draw_columns


def test_columns() -> None:
    """The highest column is the most that falls due; every sixth has its time."""
    parts = [{"at": f"2026-03-01T12:{minute:02}:00Z", "due": minute} for minute in range(8)]
    picture = draw_columns(parts, 3500)  # type: ignore[arg-type]
    assert (picture.most, picture.limit) == (7, None)
    assert [column.words for column in picture.columns] == ["12:00", *[""] * 5, "12:06", ""]
    assert [column.left for column in picture.columns] == [12.5 * number for number in range(8)]
    last = picture.columns[-1]
    assert (last.top, last.height, last.due, last.width) == (0, 100, 7, 10)
    assert picture.columns[0].height == 0


@pytest.mark.parametrize(("capacity", "limit"), [(7, 0), (3.5, 50), (8, None)])
def test_limit(capacity: int, limit: float | None) -> None:
    """Where more falls due than can be ended on time, the picture shows where that is."""
    assert draw_columns([{"at": "2026-03-01T12:00:00Z", "due": 7}], capacity).limit == limit


def test_nothing_falls_due() -> None:
    """Without grants the picture is empty, and so it is without columns."""
    assert draw_columns([{"at": "2026-03-01T12:00:00Z", "due": 0}], 9).columns[0].height == 0
    assert draw_columns([], 9).columns == []
