"""How many calls of AWS are waited for, one after the other."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from typing import ParamSpec, TypeVar
from unittest import mock

from grant_broker.requests.readers import InTurn
from tests.local_aws.answers import Response
from tests.local_aws.cloud import AwsCall
from tests.support.scene import InProcessStack

P = ParamSpec("P")
T = TypeVar("T")


class Course:
    """Logical time: a call of AWS takes one unit, and who waits for a result goes on when it is there."""

    def __init__(self) -> None:
        self.now = 0
        self.calls: list[str] = []

    def intercept(self, call: AwsCall, _go_on: object) -> Response | None:
        """The cloud's hook."""
        self.now += 1
        self.calls.append(call.operation)
        return None


class Waited(Future[T]):
    """A result that is there at a time."""

    def __init__(self, course: Course, at: int) -> None:
        super().__init__()
        self._course, self._at = course, at

    def result(self, timeout: float | None = None) -> T:
        """Wait for it."""
        self._course.now = max(self._course.now, self._at)
        return super().result(timeout)


class AtOnce(Executor):
    """Begins all work when it is given, by the course's time."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begin it now."""
        began = self._course.now
        done = InTurn().submit(work, *args, **kwargs)
        found: Future[T] = Waited(self._course, self._course.now)
        if error := done.exception():
            found.set_exception(error)
        else:
            found.set_result(done.result())
        self._course.now = began
        return found


@contextmanager
def followed(scene: InProcessStack) -> Iterator[Course]:
    """The course of the calls that `requests` makes meanwhile."""
    course = Course()
    broker = replace(scene.brokers.broker("requests"), readers=lambda: AtOnce(course))
    with (
        mock.patch.object(scene.brokers.handler("requests"), "broker", return_value=broker),
        mock.patch.object(scene.cloud, "intercept", course.intercept),
    ):
        yield course
