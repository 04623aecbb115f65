"""Workers that work where they are asked to, one after another: every order of calls can be repeated."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any


class Inline(Executor):
    """Does each piece of work in the thread that submits it."""

    def __init__(self, _workers: int) -> None:
        pass

    def submit(self, work: Callable[..., Any], *given: Any, **named: Any) -> Future[Any]:  # type: ignore[override]
        """Done when this returns. A process that dies meanwhile (a BaseException) dies in the caller."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*given, **named))
        except Exception as error:  # noqa: BLE001 - a future holds any
            future.set_exception(error)
        return future

    def map(self, work: Callable[..., Any], *items: Any, **_: Any) -> Iterator[Any]:  # type: ignore[override]
        """Each as it is asked for."""
        return map(work, *items)
