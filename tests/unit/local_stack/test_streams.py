"""Delivery of a stream's records to a function."""

from collections.abc import Iterable
from typing import Any

from tests.local_stack.streams import Lane
from tests.local_stack.template import Stream
from tests.local_stack.workers import FailedError


class Function:
    """A function that fails for some sequence numbers; it keeps what each invocation held."""

    def __init__(self, poison: Iterable[str] = (), *, raises: bool = True) -> None:
        self.poison, self.raises = set(poison), raises
        self.seen: list[list[str]] = []
        self.lost: list[dict[str, Any]] = []

    def invoke(self, event: dict[str, Any]) -> Any:
        """One invocation."""
        numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        self.seen.append(numbers)
        bad = [number for number in numbers if number in self.poison]
        if bad and self.raises:
            raise FailedError("poison")
        return {"batchItemFailures": [{"itemIdentifier": number} for number in bad[:1]]}

    def lane(self, **changes: Any) -> Lane:
        """A mapping to this function."""
        given: dict[str, Any] = {
            "function": "events", "table": "requests", "patterns": (), "batch_size": 10, "attempts": 2,
            "bisect": True, "reports_failures": True, "on_failure": "arn:aws:sqs:eu-central-1:1:lost",
        }  # fmt: skip
        return Lane(Stream(**given | changes), self.invoke, lambda _, message: self.lost.append(message))


def _records(*numbers: str) -> list[dict[str, Any]]:
    return [
        {
            "eventSourceARN": "arn:aws:dynamodb:eu-central-1:111122223333:table/t/stream/1",
            "dynamodb": {"SequenceNumber": number, "ApproximateCreationDateTime": 1.0},
        }
        for number in numbers
    ]


def test_delivered_once() -> None:
    """A batch that the function takes is delivered once."""
    function = Function()
    function.lane().deliver(_records("1", "2"))
    assert function.seen == [["1", "2"]]


def test_goes_on_after_what_was_done() -> None:
    """A reported failure is where the stream starts again: what came before it is not repeated."""
    function = Function({"2"}, raises=False)
    function.lane().deliver(_records("1", "2", "3"))
    assert function.seen == [["1", "2", "3"], ["2", "3"], ["2", "3"]]
    assert [message["DDBStreamBatchInfo"]["startSequenceNumber"] for message in function.lost] == ["2"]


def test_bisects() -> None:
    """A batch that makes the function fail is halved, so that one record does not take others with it."""
    function = Function({"3"})
    function.lane(attempts=3).deliver(_records("1", "2", "3", "4"))
    assert ["1", "2"] in function.seen
    assert ["4"] in function.seen
    (message,) = function.lost
    batch = message["DDBStreamBatchInfo"]
    assert (batch["startSequenceNumber"], batch["endSequenceNumber"], batch["batchSize"]) == ("3", "3", 1)
    assert batch["approximateArrivalOfFirstRecord"] == "1970-01-01T00:00:01Z"
    assert (
        message["requestContext"]["functionArn"] == "arn:aws:lambda:eu-central-1:111122223333:function:events"
    )


def test_gives_up_silently() -> None:
    """Without a destination, what is given up is gone: the mapping goes on."""
    function = Function({"1"})
    function.lane(on_failure=None, bisect=False).deliver(_records("1", "2"))
    assert function.seen == [["1", "2"], ["1", "2"]]
    assert function.lost == []


def test_without_reports() -> None:
    """A mapping that does not ask for reports takes every answer for success."""
    function = Function({"1"}, raises=False)
    function.lane(reports_failures=False).deliver(_records("1"))
    assert function.seen == [["1"]]


def test_filters_in_its_thread() -> None:
    """What the filters refuse never reaches the function, and the rest does in order."""
    function, done = Function(), []
    lane = function.lane(patterns=({"eventName": ["INSERT"]},), batch_size=1)
    lane.invoke = lambda event: done.append(function.invoke(event)) or lane.stop()  # type: ignore[func-returns-value]
    for record, name in zip(_records("1", "2"), ("MODIFY", "INSERT"), strict=True):
        lane.put(record | {"eventName": name})
    lane.run()
    assert function.seen == [["2"]]
