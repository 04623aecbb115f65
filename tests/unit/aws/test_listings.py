"""Lists over an index: bounded work for each page, and nothing of another partition."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from grant_broker.aws.attributes import plain, serialized
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.pages import EventListing, Listing, read_page
from grant_broker.domain.stored import listed_from
from tests.support.scripted_client import Script

LISTING = Listing("requests", "by_account", "account", "444455556666", "request#", "request")


def rows(*numbers: int, last: bool) -> dict[str, Any]:
    """An answer of a Query."""
    items = [serialized({"listed_at": f"{number:013d}#{number}", "n": number}) for number in numbers]
    return {"Items": items, **({"LastEvaluatedKey": {"pk": {"S": "x"}}} if last else {})}


def even(item: dict[str, Any]) -> bool:
    """A filter."""
    return int(item["n"]) % 2 == 0


def listed(*answers: Any, limit: int = 2, after: str | None = None) -> tuple[list[int], str | None, Script]:
    """A page's numbers, its next place, and the calls."""
    script = Script(*answers)
    found = read_page(DynamoDb(script), LISTING, limit=limit, after=after, keep=even)  # type: ignore[arg-type]
    return [item["n"] for item in found.records], found.after, script


def test_page() -> None:
    """A page holds what is kept, newest first, and says where the next begins."""
    numbers, after, script = listed(rows(8, 7, last=True), rows(6, 5, last=True))
    assert (numbers, after) == ([8, 6], f"{6:013d}#6")
    first = script.calls[0][1]
    assert (first["IndexName"], first["ScanIndexForward"], first["Limit"]) == ("by_account", False, 2)
    assert "ExclusiveStartKey" not in first


def test_goes_on() -> None:
    """A page goes on after the last item that was looked at, in the partition that is listed and no other."""
    _, _, script = listed(rows(8, 7, last=True), rows(5, last=False), after="1#another")
    starts = [plain(call[1]["ExclusiveStartKey"]) for call in script.calls]
    assert starts[0] == {
        "pk": "request#another",
        "sk": "request",
        "account": "444455556666",
        "listed_at": "1#another",
    }
    assert starts[1]["pk"] == "request#7"
    assert {start["account"] for start in starts} == {"444455556666"}


def test_end() -> None:
    """At the end there is no next page."""
    assert listed(rows(8, 7, last=False))[:2] == ([8], None)


def test_bounded() -> None:
    """A filter that nothing passes does not read the whole table for one page."""
    numbers, after, script = listed(rows(9, 7, last=True))
    assert (numbers, after) == ([], f"{7:013d}#7")
    assert len(script.calls) == 10


def test_span() -> None:
    """A span of time is a range of the index, its start within, its end without."""
    start, end = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC)
    listing = replace(LISTING, since=start, until=end, oldest_first=True)
    script = Script(rows(last=False))
    read_page(DynamoDb(script), listing, limit=2, after=None, keep=even)  # type: ignore[arg-type]
    [(_, asked)] = script.calls
    values = plain(asked["ExpressionAttributeValues"])
    assert (values[":least"], values[":greatest"]) == ("1893456000000", "1893542400000")
    assert asked["ScanIndexForward"] is True
    assert values[":least"] <= listed_from(start) + "#x" <= values[":greatest"] < listed_from(end) + "#x"


@pytest.mark.parametrize("place", ["1893455999999#x", "1893542400000#x"])
def test_forged_place(place: str) -> None:
    """A place outside the span is never sent to DynamoDB, which would refuse it."""
    start, end = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC)
    listing, script = replace(LISTING, since=start, until=end), Script()
    found = read_page(DynamoDb(script), listing, limit=2, after=place, keep=even)  # type: ignore[arg-type]
    assert (found.records, found.after, script.calls) == ([], None, [])


def test_events_by_place() -> None:
    """An event's place leads to its primary key, whatever its subject holds."""
    listing = EventListing("requests", "by_kind", "kind", "event")
    assert listing.start("0001#check#expiry#arn:aws:kms:x:1:key/y#000012") == {
        "pk": "check#expiry#arn:aws:kms:x:1:key/y", "sk": "event#000012", "kind": "event",
        "listed_at": "0001#check#expiry#arn:aws:kms:x:1:key/y#000012",
    }  # fmt: skip
