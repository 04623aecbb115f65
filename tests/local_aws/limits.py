"""Limits of a call's size that moto does not know, or not all of: what AWS refuses must not pass here."""

from collections.abc import Mapping
from typing import Any

from tests.local_aws.answers import AwsError

_BYTES = 256 * 1024
_ENTRIES = 10


def check(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Raises AwsError where AWS would refuse a call because of its size."""
    entries = parameters.get("Entries", [])
    if (service, operation) == ("events", "PutEvents"):
        if len(entries) > _ENTRIES:
            raise AwsError("ValidationException", "Member must have length less than or equal to 10")
        if sum(map(entry_size, entries)) > _BYTES:
            words = "Total size of the entries in the request is over the limit."
            raise AwsError("ValidationException", words)
    if (service, operation) == ("sqs", "SendMessageBatch"):
        if len(entries) > _ENTRIES:
            raise AwsError("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number is 10.")
        if sum(len(entry.get("MessageBody", "").encode()) for entry in entries) > _BYTES:
            raise AwsError(
                "AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests are at most 262144 bytes."
            )


def entry_size(entry: Mapping[str, Any]) -> int:
    """The bytes of an entry of PutEvents ("Calculating PutEvents event entry size")."""
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")]
    size = sum(len(text.encode()) for text in [*texts, *entry.get("Resources", [])])
    return size + (14 if "Time" in entry else 0)
