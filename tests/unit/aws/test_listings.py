"""Lists over an index: bounded work for each page, and nothing of another partition."""

from typing import Any

from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.items import plain, serialized
from grant_broker.aws.lists import Listing, read_page
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
    _, _, script = listed(rows(8, 7, last=True), rows(5, last=False), after="x#another")
    starts = [plain(call[1]["ExclusiveStartKey"]) for call in script.calls]
    assert starts[0] == {
        "pk": "request#another",
        "sk": "request",
        "account": "444455556666",
        "listed_at": "x#another",
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
