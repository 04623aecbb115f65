"""How long to wait before trying again."""

import random

_DOUBLINGS = 32  # more would overflow, and no wait is that long


def backoff(attempt: int, *, first: float, longest: float) -> float:
    """Draw the seconds to wait after a failed attempt; attempts count from 0.

    The wait doubles from `first` up to `longest`. At random it is between half of that and all of it, so that
    those who failed together do not retry together.
    """
    whole = min(longest, first * 2 ** min(attempt, _DOUBLINGS))
    return random.uniform(whole / 2, whole)  # noqa: S311 # nosec B311
