"""Event source mappings on queues: messages gathered into batches, at most so many batches at a time."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.local_stack.template import Queue
from tests.local_stack.workers import FailedError

_LOOK = 2.0  # seconds between looks at an empty queue; Lambda's own look lasts longer
_PAGE = 10  # messages that SQS hands out, or deletes, in one call


@dataclass
class QueueLane:
    """One mapping. `client` is SQS with the function's own rights, as Lambda takes messages in its name.

    What the function failed on stays in the queue and is shown again after its visibility timeout.
    """

    queue: Queue
    client: Any
    invoke: Callable[[dict[str, Any]], Any]
    look: float = _LOOK
    _stopped: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Deliver from now on, as many batches at a time as the mapping allows."""
        for number in range(self.queue.at_once):
            name = f"queue-{self.queue.function}-{number}"
            threading.Thread(target=self.run, name=name, daemon=True).start()

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopped.set()

    def run(self) -> None:
        """Deliver until stopped."""
        while not self._stopped.wait(self.look):
            try:
                while batch := self.gather():
                    self.deliver(batch)
            except (BotoCoreError, ClientError):
                # It did not answer, or has gone with its cloud: looked at again until stopped.
                continue

    def gather(self) -> list[dict[str, Any]]:
        """What waits, until the batch is full or its window is over."""
        found = self._received()
        until = time.monotonic() + self.queue.window
        while found and len(found) < self.queue.batch_size and time.monotonic() < until:
            if not (more := self._received()):
                self._stopped.wait(min(self.look, until - time.monotonic()))
            found += more
        return found if not self._stopped.is_set() else []

    def deliver(self, batch: list[dict[str, Any]]) -> None:
        """Run the function on a batch, and delete what it took."""
        try:
            self.invoke({"Records": [self._record(message) for message in batch]})
        except FailedError:
            return
        for start in range(0, len(batch), _PAGE):
            entries = [
                {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                for place, message in enumerate(batch[start : start + _PAGE])
            ]
            self.client.delete_message_batch(QueueUrl=self.queue.url, Entries=entries)

    def _received(self) -> list[dict[str, Any]]:
        answer = self.client.receive_message(QueueUrl=self.queue.url, MaxNumberOfMessages=_PAGE)
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": {},
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self.queue.arn,
            "awsRegion": self.queue.arn.split(":")[3],
        }
