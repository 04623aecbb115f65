"""How many calls of AWS a submission waits for, one after the other."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from threading import Barrier
from typing import ParamSpec, TypeVar

import pytest

from grant_broker.domain.errors import DatabaseRefused, Unavailable
from grant_broker.requests.readers import InTurn, Readers
from tests.local_aws.answers import Response
from tests.local_aws.cloud import AwsCall
from tests.support.scene import InProcessStack

P = ParamSpec("P")
T = TypeVar("T")
MOST = 5


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


@pytest.fixture
def course(scene: InProcessStack, monkeypatch: pytest.MonkeyPatch) -> Course:
    """The course of the next calls, at whose beginning a standing approval stands."""
    scene.approve_ahead()
    course = Course()
    broker = replace(scene.brokers.broker("requests"), readers=lambda: AtOnce(course))
    monkeypatch.setattr(scene.brokers.handler("requests"), "broker", lambda: broker)
    scene.cloud.intercept = course.intercept
    return course


def test_covered(scene: InProcessStack, course: Course) -> None:
    """A covered submission is granted after five: two of reads, the intent, the grant, its record."""
    answer = scene.submit(key=scene.key_arn)
    assert answer.body["status"] == "active"
    assert course.now <= MOST


def test_by_its_name(scene: InProcessStack, course: Course) -> None:
    """A key that is named takes one more: the name is looked up first."""
    assert scene.submit().body["status"] == "active"
    assert course.now <= MOST + 1


def test_nothing_is_read_twice(scene: InProcessStack, course: Course) -> None:
    """No item, index or policy is read twice for one submission."""
    scene.submit(key=scene.key_arn)
    assert course.calls.count("GetItem") == 3  # the key, and the checks of two functions
    # Approvals, open requests, what the grantee holds, and what else ends when its grant would.
    assert course.calls.count("Query") == 4
    assert course.calls.count("BatchGetItem") == 1  # the blocks
    assert course.calls.count("GetKeyPolicy") == 1
    assert course.calls.count("TransactWriteItems") == 2
    assert len(course.calls) == 13


def test_waiting(scene: InProcessStack, course: Course) -> None:
    """What people must vote on is stored after four: two of reads, a dry run of the grant, the record."""
    answer = scene.submit(key=scene.key_arn, encryption_context={"tenant": "b"})
    assert answer.body["status"] == "pending"
    assert course.now <= MOST - 1


def test_a_processs_first_call_reads_in_turn() -> None:
    """Whoever answers one call opens one connection; from the second call on reads overlap."""
    readers = Readers()
    assert isinstance(readers(), InTurn)
    meeting = Barrier(2, timeout=5)
    workers = readers()
    assert [done.result() for done in [workers.submit(meeting.wait), workers.submit(meeting.wait)]]
    assert readers() is workers


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("error", [Unavailable("x"), DatabaseRefused("x"), ValueError("x")])
def test_an_error_is_the_waiters(error: Exception) -> None:
    """What may come of a read is raised where the result is wanted."""
    done = InTurn().submit(_raise, error)
    with pytest.raises(type(error)):
        done.result()


def test_a_mistake_is_nobodys_to_wait_for() -> None:
    """What no read is known to raise is raised at once."""
    with pytest.raises(ZeroDivisionError):
        InTurn().submit(_raise, ZeroDivisionError())


def test_moved_meanwhile(scene: InProcessStack) -> None:
    """Where the key's limits move between the reads and the intent, they are read again."""
    scene.approve_ahead()

    def narrow() -> None:
        scene.limit(max_duration="PT1H")

    with scene.meanwhile("TransactWriteItems", narrow):
        answer = scene.submit(key=scene.key_arn)
    assert answer.status == 409
    assert "at most PT1H" in answer.body["detail"]
    assert scene.grants() == []
