"""How many calls of AWS a submission waits for, one after the other."""

from collections.abc import Iterator
from threading import Barrier

import pytest

from grant_broker.domain.errors import DatabaseRefused, Unavailable
from grant_broker.requests.readers import InTurn, Readers
from tests.support.course import Course, followed
from tests.support.scene import InProcessStack

MOST = 5


@pytest.fixture
def course(scene: InProcessStack) -> Iterator[Course]:
    """The course of the next calls, at whose beginning a standing approval stands."""
    scene.approve_ahead()
    with followed(scene) as course:
        yield course


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
    # The key, the account, which may be owed a look, and the checks of two functions.
    assert course.calls.count("GetItem") == 4
    # Approvals, open requests, what the grantee holds, and what else ends when its grant would.
    assert course.calls.count("Query") == 4
    assert course.calls.count("BatchGetItem") == 1  # the blocks
    assert course.calls.count("GetKeyPolicy") == 1
    assert course.calls.count("TransactWriteItems") == 2
    assert len(course.calls) == 14


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
