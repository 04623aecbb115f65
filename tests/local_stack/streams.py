"""The tables' streams: what was written goes to the functions at once, in order, as their mappings say.

Records are taken in the very call that wrote them, under the cloud's lock: no polling, and nothing of a
transaction that moto rolls back.
"""

import json
import queue
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from tests.local_aws.answers import Response
from tests.local_aws.cloud import LOCK, AwsCall, Cloud
from tests.local_stack.patterns import matches
from tests.local_stack.template import Stream
from tests.local_stack.workers import FailedError

Record = dict[str, Any]
_WRITES = frozenset(
    ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem", "ExecuteStatement"]
)
_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


class Streams:
    """Hands each table's new records to its lanes; set `intercept` as the cloud's hook."""

    def __init__(self, cloud: Cloud, lanes: Sequence["Lane"]) -> None:
        self._cloud, self._lanes = cloud, lanes

    def intercept(self, call: AwsCall, run: Callable[[], Response]) -> Response:
        """The answer to a call, its records on their way."""
        if call.service != "dynamodb" or call.operation not in _WRITES:
            return run()
        with LOCK:
            answer = run()
            for table in {lane.stream.table for lane in self._lanes}:
                self._collect(table)
        return answer

    def _collect(self, table: str) -> None:
        shard: Any = dynamodb_backends[self._cloud.home][self._cloud.region].get_table(table).stream_shard
        arn = f"{shard.table.table_arn}/stream/{shard.table.latest_stream_label}"
        records = [self._shown(item.to_json(), arn) for item in shard.items]
        # moto copies the whole table, these records too, for each transaction: keep none that were taken.
        shard.starting_sequence_number += len(shard.items)
        shard.items.clear()
        for lane in self._lanes:
            if lane.stream.table == table:
                for record in records:
                    lane.put(record)

    def _shown(self, record: Record, arn: str) -> Record:
        change = record["dynamodb"] | {"ApproximateCreationDateTime": self._cloud.clock().timestamp()}
        shown = record | {"awsRegion": self._cloud.region, "eventSourceARN": arn, "dynamodb": change}
        copied: Record = json.loads(json.dumps(shown))
        return copied


@dataclass
class Lane:
    """One event source mapping: batches in order, each repeated until it is done or its attempts are used.

    `invoke` runs the function with an event; `lost` takes the destination's ARN and the message that AWS
    sends for records that were given up.
    """

    stream: Stream
    invoke: Callable[[dict[str, Any]], Any]
    lost: Callable[[str, dict[str, Any]], None]
    _waiting: "queue.SimpleQueue[Record | None]" = field(default_factory=queue.SimpleQueue)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Deliver from now on, in a thread of its own."""
        threading.Thread(target=self.run, name=f"stream-{self.stream.function}", daemon=True).start()

    def put(self, record: Record) -> None:
        """One more record."""
        self._waiting.put(record)

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopped.set()
        self._waiting.put(None)

    def run(self) -> None:
        """Deliver until stopped."""
        while not self._stopped.is_set():
            batch = [record for record in self._batch() if self.wants(record)]
            if batch:
                self.deliver(batch)

    def _batch(self) -> list[Record]:
        found = [self._waiting.get()]
        while len(found) < self.stream.batch_size and not self._waiting.empty():
            found.append(self._waiting.get())
        return [record for record in found if record is not None]

    def wants(self, record: Record) -> bool:
        """Whether the mapping's filters let a record through."""
        patterns = self.stream.patterns
        return not patterns or any(matches(pattern, record) for pattern in patterns)

    def deliver(self, batch: list[Record], attempt: int = 1) -> None:
        """Deliver a batch; what is left of it after the last attempt goes to the destination."""
        failed, raised = self._tried(batch)
        if not failed or self._stopped.is_set():
            return
        if len(failed) < len(batch):
            # The batch moved on: what is left is a new one.
            attempt = 0
        if attempt >= self.stream.attempts:
            self._give_up(failed, attempt)
            return
        self._stopped.wait(min(_LONGEST_PAUSE, _PAUSE * 2**attempt))
        if raised and self.stream.bisect and len(failed) > 1:
            half = len(failed) // 2
            self.deliver(failed[:half], attempt + 1)
            self.deliver(failed[half:], attempt + 1)
        else:
            self.deliver(failed, attempt + 1)

    def _tried(self, batch: list[Record]) -> tuple[list[Record], bool]:
        """What is left to deliver, and whether the function failed as a whole."""
        try:
            answer = self.invoke({"Records": batch})
        except FailedError:
            return batch, True
        if not self.stream.reports_failures:
            return [], False
        failures = {entry["itemIdentifier"] for entry in (answer or {}).get("batchItemFailures", [])}
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        first = next((place for place, number in enumerate(numbers) if number in failures), None)
        return ([] if first is None else batch[first:]), False

    def _give_up(self, batch: list[Record], attempts: int) -> None:
        if self.stream.on_failure:
            self.lost(self.stream.on_failure, _message(self.stream.function, batch, attempts))


def _message(function: str, batch: list[Record], attempts: int) -> dict[str, Any]:
    """What Lambda sends to an on-failure destination: where the records are, not the records."""
    changes = [record["dynamodb"] for record in batch]
    arrived = [datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC) for change in changes]
    place = ":".join(batch[0]["eventSourceARN"].split(":")[3:5])
    times = [time.strftime("%Y-%m-%dT%H:%M:%SZ") for time in arrived]
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": f"arn:aws:lambda:{place}:function:{function}",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": attempts,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(),
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000000000000000000-00000000",
            "startSequenceNumber": changes[0]["SequenceNumber"],
            "endSequenceNumber": changes[-1]["SequenceNumber"],
            "approximateArrivalOfFirstRecord": times[0],
            "approximateArrivalOfLastRecord": times[-1],
            "batchSize": len(batch),
            "streamArn": batch[0]["eventSourceARN"],
        },
    }
