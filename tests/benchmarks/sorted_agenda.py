"""An agenda of any length, kept in order as DynamoDB keeps an index: a page costs what it holds."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from tests.support.records import KEY

_MADE = """
CREATE TABLE entries (agenda TEXT, due INTEGER, pk TEXT, sk TEXT, PRIMARY KEY (agenda, due, pk)) WITHOUT ROWID
"""
_PAGE = """
SELECT agenda, due, pk, sk FROM entries
WHERE agenda = ? AND due <= ? AND (due, pk) > (?, ?) ORDER BY due, pk LIMIT ?
"""


class SortedAgenda:
    """The index `agenda` of the request table, with nothing but its entries."""

    def __init__(self, partition: str, dues: Iterable[int]) -> None:
        self._rows = sqlite3.connect(":memory:", check_same_thread=False)
        self._rows.execute(_MADE)
        entries = ((partition, due, f"request#{number:032x}", "request") for number, due in enumerate(dues))
        self._rows.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", entries)

    def query(self, given: dict[str, Any]) -> dict[str, Any]:
        """One page of the broker's query."""
        values, start = given["ExpressionAttributeValues"], given.get("ExclusiveStartKey")
        place = (int(start["due"]["N"]), start["pk"]["S"]) if start else (0, "")
        asked = (values[":agenda"]["S"], int(values[":until"]["N"]), *place, given["Limit"])
        found = [_item(*row) for row in self._rows.execute(_PAGE, asked)]
        last = {name: found[-1][name] for name in ("agenda", "due", "pk", "sk")} if found else {}
        return {"Items": found} | ({"LastEvaluatedKey": last} if len(found) == given["Limit"] else {})


def _item(agenda: str, due: int, pk: str, sk: str) -> dict[str, Any]:
    texts = {"agenda": agenda, "pk": pk, "sk": sk, "action": "end", "grant_id": pk[-32:] * 2, "key_arn": KEY}
    return {"due": {"N": str(due)}} | {name: {"S": text} for name, text in texts.items()}
