"""Writers that meet on one record: who comes second looks again, and acts on what is there by then."""

from collections.abc import Callable
from typing import TypeVar

from grant_broker.broker import Broker
from grant_broker.domain.errors import NotFound, Stale, Unavailable
from grant_broker.domain.request import GrantRequest

T = TypeVar("T")
_ATTEMPTS = 6


def anew(step: Callable[[], T]) -> T:
    """The result of a step that begins with its reads, repeated while another writer comes first.

    So a caller who lost a race is told the present state, never just that there was a race. Unavailable
    where others keep coming first.
    """
    for _ in range(_ATTEMPTS):
        try:
            return step()
        except Stale:
            continue
    raise Unavailable("others are changing the same thing", retry_after=1)


def on_latest(broker: Broker, request: GrantRequest, step: Callable[[GrantRequest], T]) -> T:
    """The result of a step on a request as it was read, or, after a lost race, as it is by then."""
    versions = iter([request])

    def attempt() -> T:
        latest = next(versions, None) or broker.store.find_request(request.id)
        if latest is None:
            raise NotFound("there is no such request")
        return step(latest)

    return anew(attempt)
