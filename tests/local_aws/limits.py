"""Limits of a call's size that moto does not know: what AWS refuses must not pass here."""

from collections.abc import Mapping
from typing import Any

from tests.local_aws.answers import AwsError

PUT_EVENTS_BYTES, PUT_EVENTS_ENTRIES = 256 * 1024, 10


def check(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Raises AwsError where AWS would refuse a call because of its size."""
    if (service, operation) == ("events", "PutEvents"):
        size = sum(entry_size(entry) for entry in parameters.get("Entries", []))
        if size > PUT_EVENTS_BYTES:
            words = "Total size of the entries in the request is over the limit."
            raise AwsError("ValidationException", words)


def entry_size(entry: Mapping[str, Any]) -> int:
    """The bytes of an entry of PutEvents ("Calculating PutEvents event entry size")."""
    texts = [
        *(entry.get(name) or "" for name in ("Source", "DetailType", "Detail")),
        *entry.get("Resources", []),
    ]
    return sum(len(text.encode()) for text in texts) + (14 if "Time" in entry else 0)
