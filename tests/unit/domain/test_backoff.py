"""Waits between attempts: longer each time, never too long, and not the same for everybody."""

import pytest

from grant_broker.domain.backoff import backoff


@pytest.mark.parametrize(
    ("attempt", "whole"), [(0, 2.0), (1, 4.0), (2, 8.0), (7, 256.0), (8, 300.0), (10**9, 300.0)]
)
def test_doubles(attempt: int, whole: float) -> None:
    """A wait lies between half of the doubled one and all of it, whatever the number of attempts."""
    waits = [backoff(attempt, first=2, longest=300) for _ in range(200)]
    assert whole / 2 <= min(waits) < max(waits) <= whole
    assert max(waits) - min(waits) > whole / 4
