"""Workers that read several things at the same time, for one call."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from grant_broker.domain.errors import BrokerError, DatabaseRefused

P = ParamSpec("P")
T = TypeVar("T")
_WORKERS = 6


class InTurn(Executor):
    """Does what it is given at once, one thing after the other."""

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do it before returning. What may come of a read is raised to whoever wants the result, not here."""
        done: Future[T] = Future()
        try:
            done.set_result(work(*args, **kwargs))
        except (BrokerError, DatabaseRefused, ValueError) as error:
            done.set_exception(error)
        return done


class Readers:
    """The workers of a process.

    Its first call reads in turn: each further connection to DynamoDB loads the certificate authorities again,
    20 ms of a whole processor and four times that of a small function's share, which a process that answers a
    single call would pay for nothing.
    """

    def __init__(self) -> None:
        self._called = False
        self._pool = ThreadPoolExecutor(_WORKERS)

    def __call__(self) -> Executor:
        """The workers for one more call."""
        workers = self._pool if self._called else InTurn()
        self._called = True
        return workers
