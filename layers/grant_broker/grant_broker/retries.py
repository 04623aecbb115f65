"""Retry a step whose conditional write loses to another writer (an optimistic lock on each record)."""

from collections.abc import Callable
from typing import TypeVar

from grant_broker.broker import Broker
from grant_broker.domain.errors import Contended, Stale
from grant_broker.domain.request import GrantRequest

T = TypeVar("T")
_ATTEMPTS = 6


def retry_stale(step: Callable[[], T]) -> T:
    """Run a step that begins with its reads, again while its write loses to another writer's.

    So a caller who lost a race is told the present state, never just that there was a race. Raises
    Contended where others keep coming first.
    """
    for _ in range(_ATTEMPTS):
        try:
            return step()
        except Stale:
            continue
    raise Contended("others are changing the same thing", retry_after=1)


def apply_to_latest(broker: Broker, request: GrantRequest, step: Callable[[GrantRequest], T]) -> T:
    """Run a step on a request as it was read, and after a lost race on what is stored by then."""
    versions = iter([request])

    def attempt() -> T:
        return step(next(versions, None) or broker.store.get_request(request.id))

    return retry_stale(attempt)
