"""Whether one more end can be on time, and how late ends would come."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from grant_broker.domain.ends_ahead import ON_TIME, EndsAhead, is_believed

RATE = 2.0
FULL = int(RATE * (ON_TIME + 1))
"""As many ends of one second as are all on time."""


def test_as_many_as_are_on_time() -> None:
    """A second takes what is ended within five seconds after it, and one more is one too many."""
    assert EndsAhead({100: FULL - 1}, RATE).fits(100)
    assert not EndsAhead({100: FULL}, RATE).fits(100)


def test_what_is_made_between_is_behind() -> None:
    """Of a crowded second less is left with each second after it."""
    ahead = EndsAhead({100: FULL}, RATE)
    assert [second for second in range(95, 105) if not ahead.fits(second)] == [100]


def test_later_ends_are_not_made_late() -> None:
    """An end that would be on time itself does not fit where it makes others late."""
    ahead = EndsAhead({100: int(RATE), 101: FULL}, RATE)
    assert not ahead.fits(100)
    assert ahead.fits(99)


def test_what_is_too_late_already_refuses_nothing_else() -> None:
    """What a restore put there may be too much already: only what makes it later is refused."""
    ahead = EndsAhead({100: 10 * FULL}, RATE)
    assert ahead.fits(40)
    assert not ahead.fits(100)
    assert not ahead.fits(101)
    assert ahead.fits(200)


def test_of_too_many_the_earliest_are_known() -> None:
    """Where there are more than were read, only what ends before the last of them can fit."""
    ahead = EndsAhead({100: 1, 110: 90}, RATE, complete=False)
    assert ahead.fits(101)
    assert not ahead.fits(110)
    assert not ahead.fits(500)


def test_nearest() -> None:
    """The last second before and the first one after that fit, within what is asked for."""
    ahead = EndsAhead(dict.fromkeys(range(100, 103), FULL), RATE)
    assert ahead.nearest(101, earliest=0, latest=200) == [99, 113]
    assert ahead.nearest(101, earliest=100, latest=200) == [113]
    assert ahead.nearest(101, earliest=100, latest=112) == []


@given(st.dictionaries(st.integers(0, 40), st.integers(1, 30)), st.integers(0, 40), st.integers(1, 5))
def test_as_a_queue_would(dues: dict[int, int], now: int, rate: int) -> None:
    """The debt is the longest wait in a queue that is worked off second by second."""
    queue, worst = 0, 0.0
    for second in range(now, 200):
        queue += dues.get(second, 0) if second > now else sum(n for at, n in dues.items() if at <= now)
        worst = max(worst, queue / rate - 1)
        queue = max(0, queue - rate)
    assert EndsAhead(dues, rate).debt(now) == worst


@given(st.lists(st.integers(0, 30), max_size=120))
def test_who_fits_is_on_time(asked: list[int]) -> None:
    """However ends are asked for, as long as only those are made that fit all of them are on time."""
    dues = Counter[int]()
    for second in asked:
        dues[second] += EndsAhead(dues, RATE).fits(second)
    assert EndsAhead(dues, RATE).debt(0) <= ON_TIME


def test_nothing_is_owed_where_nothing_is_due() -> None:
    """An empty agenda has no debt."""
    assert EndsAhead({}, RATE).debt(0) == 0


def test_how_much_may_stand_alone() -> None:
    """Ten seconds of the rate may have no grant behind them: more makes the agenda unbelieved."""
    assert is_believed(400, 40)
    assert not is_believed(401, 40)
