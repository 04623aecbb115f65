"""Threads that start together on the same records, and what must hold when they are done."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from grant_broker.domain.errors import BrokerError
from grant_broker.domain.lifecycle import Status
from grant_broker.events.export import export, verify_export
from tests.local_aws.cloud import Cloud
from tests.local_stack.brokers import Brokers
from tests.support.scene import InProcessStack

# moto copies its tables for each transaction, under one lock: more threads would only wait longer there.
THREADS = 32 if Cloud.dynamodb else 8
Move = Callable[[], object]
# The tests' `time.sleep` does not wait; a conflict of transactions needs the other one to get on.
_SLEEP = time.sleep


@dataclass(frozen=True)
class Outcome:
    """What one thread got: the move's result, or the error that it was told."""

    result: object = None
    error: BrokerError | None = None

    @property
    def won(self) -> bool:
        """Whether the move was made."""
        return self.error is None


class Arena:
    """The functions' brokers, shared by all threads as by the environments of one Lambda function."""

    def __init__(self, scene: InProcessStack) -> None:
        self.scene = scene
        self.brokers = Brokers(scene.deployment, scene.clock, _SLEEP)

    def race(self, moves: Sequence[Move]) -> list[Outcome]:
        """The outcome of each move, all begun together; any other error than the broker's surfaces."""
        for function in ("requests", "approvals", "expiry"):
            self.brokers.broker(function)
        start = threading.Barrier(len(moves))

        def run(move: Move) -> Outcome:
            start.wait()
            try:
                return Outcome(result=move())
            except BrokerError as error:
                return Outcome(error=error)

        with ThreadPoolExecutor(len(moves)) as pool:
            return list(pool.map(run, moves))

    def check(self) -> None:
        """Whole trails, and no grant but those of requests that hold one."""
        store = self.brokers.broker("approvals").store
        found = verify_export(export(store))
        assert (found.broken, found.export) == ({}, None)
        grants = Counter(grant["Name"].split("/")[1] for grant in self.scene.grants())
        assert set(grants.values()) <= {1}
        for request_id in grants:
            assert self.scene.status(request_id) in {Status.ISSUING, Status.ACTIVE, Status.ENDING}

    def settle(self) -> None:
        """A day later, by the schedule alone: every request is final and no grant is left."""
        self.scene.clock.sleep(86_400 * 4)
        self.scene.expire()
        self.scene.clock.sleep(600)
        self.scene.expire()
        assert self.scene.grants() == []
        self.check()
