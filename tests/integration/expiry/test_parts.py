"""Ends have a part of the agenda, looks and workers of their own: nothing hides them or holds them up."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.agenda import Part
from grant_broker.domain.errors import DatabaseRefused
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.expiry import run as expiry
from tests.simulation.injection import Fault, Kind
from tests.support.backlog import START, Backlog
from tests.support.inline import Inline

_PATIENCE = 20.0  # seconds of real time after which a test that hangs fails


class Watched:
    """Pools of threads, of which the first made ends grants; no time passes while more than `stuck` do so."""

    def __init__(self, backlog: Backlog, stuck: int = 0) -> None:
        self._backlog, self.stuck = backlog, stuck
        self._under_way: list[Future[Any]] = []
        self._first: ThreadPoolExecutor | None = None

    def __call__(self, workers: int) -> ThreadPoolExecutor:
        """Make a pool."""
        made = ThreadPoolExecutor(workers)
        if self._first is None:
            self._first = made
            made.submit = self._watched(made.submit)  # type: ignore[method-assign]
        return made

    def _watched(self, submit: Callable[..., Future[Any]]) -> Any:
        def watched(*work: Any) -> Future[Any]:
            self._under_way.append(future := submit(*work))
            return future

        return watched

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        done = threading.Event()
        while sum(not future.done() for future in self._under_way) > self.stuck:
            assert not done.wait(0.001)
        self._backlog.clock.now += timedelta(seconds=seconds)


def ended_after(backlog: Backlog, number: int) -> float:
    """Seconds from the start until the grant of this number ended."""
    return (backlog.kms.ended[f"{number:064x}"] - START).total_seconds()


def test_thousands_of_lapses_hide_no_end() -> None:
    """3,000 requests lapse in the second of an end, more than one look takes, and before it as well."""
    backlog = Backlog()
    backlog.add([10] * 3000, status=Status.APPROVED, action=Action.LAPSE, first=10)
    backlog.add([9] * 3000, status=Status.APPROVED, action=Action.LAPSE, first=4000)
    backlog.add([10])
    backlog.process(14)()
    assert ended_after(backlog, 1) == 10


def test_slow_confirms_hold_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """40 confirms for which KMS answers only once the grant has ended, and the end is in its second."""
    backlog, ended = Backlog(), threading.Event()
    backlog.add([0] * 40, status=Status.EXPIRED, action=Action.CONFIRM, first=10)
    backlog.add([3])
    list_grants, retire_grant = backlog.kms.list_grants, backlog.kms.retire_grant

    def slow(**given: Any) -> Any:
        assert ended.wait(_PATIENCE)
        return list_grants(**given)

    def retire(**given: Any) -> Any:
        ended.set()
        return retire_grant(**given)

    monkeypatch.setattr(backlog.kms, "list_grants", slow)
    monkeypatch.setattr(backlog.kms, "retire_grant", retire)
    watched = Watched(backlog)
    expiry.run(backlog.broker(watched.sleep), lambda: 240.0, pool=watched)
    assert ended_after(backlog, 1) == 3
    assert not [entry for entry in _due(backlog, Part.REST) if entry.due <= int(START.timestamp())]


def test_a_slow_end_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """RetireGrant answers for one only when another, due later, has ended in its own second."""
    backlog, ended = Backlog(), threading.Event()
    backlog.add([1, 4])
    retire_grant = backlog.kms.retire_grant

    def retire(**given: Any) -> Any:
        if given["GrantId"] == f"{1:064x}":
            assert ended.wait(_PATIENCE)
        answer = retire_grant(**given)
        watched.stuck = 0
        ended.set()
        return answer

    monkeypatch.setattr(backlog.kms, "retire_grant", retire)
    watched = Watched(backlog, stuck=1)
    report = expiry.run(backlog.broker(watched.sleep), lambda: 240.0, pool=watched)
    assert (ended_after(backlog, 2), report.done) == (4, 2)


def test_no_more_wait_for_a_slow_kms_than_end_in_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was claimed while KMS answered nothing does not come all at once when it answers again."""
    backlog, again = Backlog(rate=10), threading.Event()
    backlog.add([-1] * 100)
    retire_grant = backlog.kms.retire_grant

    def retire(**given: Any) -> Any:
        assert again.wait(_PATIENCE)
        return retire_grant(**given)

    monkeypatch.setattr(backlog.kms, "retire_grant", retire)
    seconds = iter(range(1000))
    watched = Watched(backlog, stuck=10)

    def sleep(given: float) -> None:
        if next(seconds) == 8:
            watched.stuck = 0
            again.set()
        watched.sleep(given)

    expiry.run(backlog.broker(sleep), lambda: 240.0, pool=watched)
    assert len(backlog.kms.ended) == 100
    assert backlog.kms.busiest("RetireGrant") == 10


def _due(backlog: Backlog, part: Part) -> list[Any]:
    until = int((backlog.clock.now + timedelta(days=1)).timestamp())
    return backlog.broker().store.agenda.read_due(part, until, most=10_000).entries


def test_an_unexpected_error_of_one_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others go on; this run leaves that one alone, and fails at last, so that the alarm rings."""
    backlog = Backlog()
    backlog.add([1, 2, 3])
    retire_grant = backlog.kms.retire_grant
    tried = []

    def retire(**given: Any) -> Any:
        if given["GrantId"] == f"{1:064x}":
            tried.append(given)
            raise OverflowError("unexpected")
        return retire_grant(**given)

    monkeypatch.setattr(backlog.kms, "retire_grant", retire)
    with pytest.raises(OverflowError, match="unexpected"):
        backlog.process(10)()
    assert (set(backlog.kms.ended), len(tried)) == ({f"{2:064x}", f"{3:064x}"}, 1)


def test_the_rest_cannot_be_read() -> None:
    """Ends go on all the same, round after round is tried, and the run fails at last."""
    backlog = Backlog(smallest_duration=1)
    backlog.add([2])
    broken = Fault(Kind.ACCESS_DENIED, lasting=True, operation="Query")
    broker = backlog.broker()
    agenda = broker.store.agenda
    read = agenda.read_due

    def read_due(part: Part, until: int, **more: Any) -> Any:
        with backlog.injector.under([broken] if part == Part.REST else []):
            return read(part, until, **more)

    agenda.read_due = read_due  # type: ignore[method-assign]
    with pytest.raises(DatabaseRefused):
        expiry.run(broker, lambda: 240.0, pool=Inline)
    assert ended_after(backlog, 1) == 2
    assert ("Heartbeat", 1) in backlog.metrics


def test_what_a_partial_look_brought_is_ended() -> None:
    """A throttled page: what came before it ends, and the run is not alive until it has seen all."""
    backlog = Backlog(rate=1000, quota=1000)
    backlog.add([-1] * 700)
    throttled = Fault(Kind.THROTTLED, after=1, lasting=True, operation="Query")
    broker = backlog.broker()
    read = broker.store.agenda.read_due
    looks = iter([True])

    def read_due(part: Part, until: int, **more: Any) -> Any:
        with backlog.injector.under([throttled] if part == Part.ENDS and next(looks, False) else []):
            return read(part, until, **more)

    broker.store.agenda.read_due = read_due  # type: ignore[method-assign]
    expiry.run(replace(broker, sleep=backlog.clock.sleep), lambda: 240.0, pool=Inline)
    first = [at for at in backlog.kms.ended.values() if (at - START).total_seconds() < 1]
    assert (len(first), len(backlog.kms.ended)) == (500, 700)


def test_an_agenda_in_shards() -> None:
    """Each entry is in the shard of its id, and all of them are ended in one order, oldest first."""
    backlog = Backlog(rate=10, shards=5)
    backlog.add([number - 60 for number in range(60)])
    backlog.add([20] * 10, status=Status.APPROVED, action=Action.LAPSE, first=100)
    table = backlog.database.tables["requests"]
    spread = [len(dict(table.part("agenda", f"{part}#{shard}"))) for part in Part for shard in range(5)]
    assert (sum(spread), min(spread[:5]) > 0) == (70, True)
    backlog.process(30)()
    assert list(backlog.kms.ended) == [f"{number:064x}" for number in range(1, 61)]
    assert (max(backlog.kms.ended.values()) - START).total_seconds() == 5
    states = [item["status"]["S"] for item in table.items.values() if "status" in item]
    assert (states.count("expired"), states.count("lapsed"), states.count("approved")) == (60, 0, 10)
    backlog.clock.sleep(20)
    backlog.process(5)()
    assert [item["status"]["S"] for item in table.items.values() if "status" in item].count("lapsed") == 10
