"""Where a grant stands in the picture."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grant_broker.client.console.timeline import SPANS, Window, draw
from tests.support.shown_requests import shown

NOW = datetime(2026, 3, 1, 12, 34, tzinfo=UTC)


def at(minutes: float) -> str:
    """A time of the API so many minutes from now."""
    return f"{NOW + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def living(start: float, end: float, number: int = 1, **changes: Any) -> Any:
    """A grant from then to then, in minutes from now."""
    times = {"issued_at": at(start), "expires_at": at(end), "ends_at": at(end), "spread_by": at(start + 5)}
    grant = {"grant_id": "g", "grant_token": None, **times}
    return shown("active", number, grant=grant, expires_at=at(end), **changes)


@pytest.mark.parametrize("minutes", SPANS)
def test_window(minutes: int) -> None:
    """An eighth of the picture is what was; all that is outside is at its edge."""
    window = Window(NOW, minutes)
    assert window.place(NOW) == 12.5
    assert window.place(NOW + timedelta(minutes=minutes)) == 100
    assert window.place(NOW + timedelta(days=9)) == 100
    assert window.place(NOW - timedelta(days=9)) == 0
    assert window.place(NOW + timedelta(minutes=minutes / 7)) == 25


def test_marks() -> None:
    """Round times are written above it, each at its place."""
    marks = Window(NOW, 60).marks()
    assert [mark.words for mark in marks] == ["12:30", "12:40", "12:50", "13:00", "13:10", "13:20", "13:30"]
    assert marks[0].place == Window(NOW, 60).place(NOW - timedelta(minutes=4))
    assert [mark.words for mark in Window(NOW, 720).marks()][-1] == "00:00"


def test_bars() -> None:
    """What ends first is at the top; a life is from issue to end, and says how long is left."""
    [picture] = draw([living(-5, 30, 1), living(-1, 2, 2), living(-60, 600, 3)], Window(NOW, 60))
    assert [bar.request["id"][-1] for bar in picture.bars] == ["2", "1", "3"]
    assert [bar.state for bar in picture.bars] == ["soon", "live", "live"]
    assert [bar.end for bar in picture.bars] == ["in 2 min", "in 30 min", "in 10 h"]
    assert (picture.bars[2].start, picture.bars[2].width) == (0, 100)
    assert picture.bars[1].start == pytest.approx(12.5 - 5 / 60 * 87.5, abs=0.01)
    assert picture.bars[1].top - picture.bars[0].top == 46
    assert picture.height == picture.bars[2].top + 46


def test_a_margin() -> None:
    """A bar goes to where the grant is ended, which a key's margin puts before its expiry."""
    request = living(-5, 30)
    request["grant"]["ends_at"] = at(20)
    [picture] = draw([request], Window(NOW, 60))
    assert picture.bars[0].end == "in 20 min"


def test_what_is_over() -> None:
    """A grant that ended just now is drawn to its end, and is gone when that is left of the picture."""
    just_now = living(-5, 30, 1, ended_at=at(-2)) | {"status": "revoked"}
    long_ago = living(-50, -40, 2, ended_at=at(-40)) | {"status": "expired"}
    [picture] = draw([just_now, long_ago], Window(NOW, 60))
    [bar] = picture.bars
    assert (bar.state, bar.end) == ("over", "2 min ago")
    assert bar.start + bar.width == pytest.approx(12.5 - 2 / 60 * 87.5, abs=0.01)


def test_what_never_lived() -> None:
    """A request without a grant is in no picture, but one that is being issued is."""
    denied: Any = shown("denied", ended_at=at(-1))
    pending: Any = shown("pending")
    issuing: Any = shown("issuing", 2, created_at=at(-1), expires_at=at(9))
    [picture] = draw([denied, pending, issuing], Window(NOW, 15))
    assert [bar.request["status"] for bar in picture.bars] == ["issuing"]
    assert draw([], Window(NOW, 15)) == []


def test_keys() -> None:
    """Each key has a picture of its own."""
    other = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"
    pictures = draw([living(-5, 30, 1), living(-5, 30, 2, key=other)], Window(NOW, 60))
    assert [picture.key for picture in pictures] == sorted({other, living(0, 1)["key"]})
