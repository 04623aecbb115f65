"""The request table's stream: to each function what its filter lets through, retried as the template says."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tests.local_stack.patterns import matches
from tests.simulation.injection import Died, Fault
from tests.support.context import Context

if TYPE_CHECKING:
    from tests.simulation.world import World


class Streams:
    """Where each function stands in the stream. `kept` holds what a function gave up, as its queue would."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.sources = {name: world.deployment.stream(name)[0] for name in ("expiry", "events")}
        self.forget()

    def forget(self) -> None:
        """A new example."""
        self.place = dict.fromkeys(self.sources, 0)
        self.kept: list[dict[str, Any]] = []

    def waiting(self, function: str) -> list[dict[str, Any]]:
        """What the function has not been given yet."""
        return self._matching(function, self.world.database.stream[self.place[function] :])

    def deliver(
        self, function: str, *, plan: Sequence[Fault] = (), repeat: int = 0, backwards: bool = False
    ) -> None:
        """Give the function what waits: some earlier records once more, or all in the wrong order."""
        start = max(0, self.place[function] - repeat)
        records = self._matching(function, self.world.database.stream[start:])
        self.place[function] = len(self.world.database.stream)
        size = self.sources[function].batch_size
        ordered = records[::-1] if backwards else records
        with self.world.injector.under(plan):
            for first in range(0, len(ordered), size):
                self._batch(function, ordered[first : first + size])

    def _batch(self, function: str, records: list[dict[str, Any]]) -> None:
        for _ in range(self.sources[function].attempts):
            if not records:
                return
            failed = self._invoked(function, records)
            numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
            records = records[min((numbers.index(number) for number in failed), default=len(records)) :]
        self.kept += records

    def _invoked(self, function: str, records: list[dict[str, Any]]) -> list[str]:
        handler = self.world.processes.handler(function).lambda_handler
        try:
            with warnings.catch_warnings(action="ignore"):
                answer = handler({"Records": records}, Context())
        except (Died, Exception) as error:  # noqa: BLE001 - Lambda takes any error: the whole batch comes again
            self.world.ledger.failed(function, error)
            return [records[0]["dynamodb"]["SequenceNumber"]]
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def _matching(self, function: str, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        source = self.sources[function]
        own = [record for record in records if record["table"] == source.table]
        return [r for r in own if not source.patterns or any(matches(p, r) for p in source.patterns)]
