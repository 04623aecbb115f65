"""`python -m tests.benchmarks.reconciling [GRANTS …]`: what a whole pass of reconcile costs.

The broker's own code runs; KMS and DynamoDB are dicts that answer at once and say how long AWS would take.
Time is the sum of both, and the passes go on from run to run as Lambda's limit cuts them.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "layers" / "grant_broker"))

from grant_broker.aws.items import item_of
from grant_broker.domain.arns import region_of
from grant_broker.domain.grant_name import grant_name
from grant_broker.reconcile.run import Report, reconcile
from grant_broker.reconcile.walk import Page
from tests.benchmarks.cold_start import Options
from tests.benchmarks.figures import Better, Figure, Target
from tests.support.records import (
    EXPIRES,
    EXPIRY_ROLE,
    KEY,
    ListedGrants,
    Scene,
    grant,
    key,
    request,
    votes,
)

MANY = 100_000
LIMIT = 240.0
"""Seconds of one run: the function's timeout."""
# Seconds that AWS takes for a call, warm and within a Region: assumed, and on the slow side.
LATENCY = {
    "list_retirable_grants": 0.04,
    "list_grants": 0.04,
    "get_item": 0.005,
    "query": 0.02,
    "batch_get_item": 0.02,
    "transact_write_items": 0.015,
}


@dataclass
class Aws:
    """Calls so far, and the seconds that they would have taken."""

    calls: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def called(self, name: str) -> None:
        """Count one call."""
        self.calls[name] += 1
        self.seconds += LATENCY[name]


class CountedGrants(ListedGrants):
    """KMS's listings, each page counted. All grants are on one key, and `expiry`'s to retire."""

    def __init__(self, aws: Aws) -> None:
        super().__init__()
        self._aws = aws

    def list_retirable_page(self, principal: str, region: str, *, marker: str | None = None) -> Page:
        """A page of all grants."""
        assert (principal, region) == (EXPIRY_ROLE, region_of(KEY))
        self._aws.called("list_retirable_grants")
        return self._page(self.grants, marker)

    def list_grants_page(self, key_arn: str, *, marker: str | None = None) -> Page:
        """A page of all grants."""
        assert key_arn == KEY
        self._aws.called("list_grants")
        return self._page(self.grants, marker)


class Items:
    """DynamoDB as far as reconcile's run in a steady state asks it, without conditions."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._items: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._sorted: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def create_table(self, **_given: Any) -> None:
        """Need none."""

    def put_item(self, *, TableName: str, Item: dict[str, Any]) -> None:  # noqa: N803 - boto3's names
        """Store an item."""
        self._items[TableName, Item["pk"]["S"], Item["sk"]["S"]] = Item

    def get_item(self, *, TableName: str, Key: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        """Read one item."""
        self._aws.called("get_item")
        found = self._items.get((TableName, Key["pk"]["S"], Key["sk"]["S"]))
        return {"Item": found} if found else {}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        """Read some items."""
        self._aws.called("batch_get_item")
        [(table, asked)] = RequestItems.items()
        found = (self._items.get((table, each["pk"]["S"], each["sk"]["S"])) for each in asked["Keys"])
        return {"Responses": {table: [item for item in found if item]}}

    def query(self, **given: Any) -> dict[str, Any]:
        """Read one page of an index, or of the versions of a key's limits, of which there are none."""
        self._aws.called("query")
        if "IndexName" not in given:
            return {"Items": []}
        attribute = given["IndexName"].removeprefix("by_")
        # Of the agenda more is asked than the partition: until when.
        value = next(iter(given["ExpressionAttributeValues"].values()))
        part = self._part(given["TableName"], attribute, value["S"])
        start = int(given["ExclusiveStartKey"]["place"]["N"]) if "ExclusiveStartKey" in given else 0
        end = start + given.get("Limit", 500)
        last = {"LastEvaluatedKey": {"place": {"N": str(end)}}} if end < len(part) else {}
        return {"Items": part[start:end], **last}

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> None:  # noqa: N803
        """Write all items."""
        self._aws.called("transact_write_items")
        for write in TransactItems:
            self.put_item(TableName=write["Put"]["TableName"], Item=write["Put"]["Item"])

    def _part(self, table: str, attribute: str, value: str) -> list[dict[str, Any]]:
        if (table, value) not in self._sorted:
            wanted = (item for (name, *_), item in self._items.items() if name == table)
            self._sorted[table, value] = [
                item for item in wanted if item.get(attribute, {}).get("S") == value and "listed_at" in item
            ]
        return self._sorted[table, value]


@dataclass(frozen=True)
class Cost:
    """What reconcile took until its passes over all grants, their keys and their records had come to an end.

    `seen`: the grants that the pass by ListRetirableGrants saw, with `pages` calls in `pass_runs` runs.
    """

    grants: int
    runs: int
    calls: Counter[str]
    own_seconds: float
    aws_seconds: float
    seen: int
    pages: int
    pass_runs: int

    def line(self) -> str:
        """One row of the table."""
        by_key = self.calls["list_grants"]
        database = self.calls.total() - by_key - self.calls["list_retirable_grants"]
        return (
            f"{self.grants:>8,}  {self.pages:>19,}  {by_key:>10,}  {database:>14,}  {self.own_seconds:>11.1f}"
            f"  {self.aws_seconds:>15.1f}  {self.own_seconds + self.aws_seconds:>7.1f}  {self.runs:>4}"
        )


def whole_pass(_options: Options) -> list[Figure]:
    """One pass by ListRetirableGrants over 100,000 grants: calls a grant, and how many of them it saw."""
    cost = measure(MANY)
    name = f"reconcile, a pass by ListRetirableGrants over {MANY:,} grants"
    return [
        Figure.of_pairs(f"{name}: KMS calls a grant", [cost.pages], [cost.grants], Target(0.011), "calls"),
        Figure.of_pairs(
            f"{name}, in {cost.pass_runs} runs: seen", [cost.seen], [cost.grants],
            Target(1.0, Better.HIGHER), "grants",
        ),
    ]  # fmt: skip


def _fill(scene: Scene, count: int) -> None:
    """Approved grants with their records and votes, all in order, on one key."""
    scene.put(key())
    for number in range(count):
        record = request(id=f"{number:032x}", grant_id=f"g{number}")
        for each in (record, votes(record)):
            scene.client.put_item(TableName=scene.store.tables.table_of(each), Item=item_of(each))
    scene.kms.grants = [
        grant(grant_id=f"g{number}", name=grant_name(f"{number:032x}", EXPIRES)) for number in range(count)
    ]


def _runs(scene: Scene, aws: Aws) -> Iterator[tuple[Report, float]]:
    """Run after run, each with Lambda's time; the report and the broker's own seconds."""
    while True:
        began, before = time.perf_counter(), aws.seconds

        def remaining(began: float = began, before: float = before) -> float:
            return LIMIT - (time.perf_counter() - began) - (aws.seconds - before)

        report = reconcile(scene.broker, remaining)
        yield report, time.perf_counter() - began


def measure(count: int) -> Cost:
    """Run until all passes have come to their end."""
    aws = Aws()
    scene = Scene(Items(aws), CountedGrants(aws))
    _fill(scene, count)
    aws.calls.clear()
    aws.seconds = 0.0
    own, seen, pages, pass_runs = 0.0, 0, 0, 0
    for number, (report, seconds) in enumerate(_runs(scene, aws), start=1):
        own += seconds
        if report.drift or report.failed:
            raise ValueError(f"grants that are in order are judged otherwise: {report}")
        if not pass_runs and "LiveGrants" in scene.metrics:
            # The pass over all grants has ended; the next run begins another.
            seen, pages, pass_runs = report.live, aws.calls["list_retirable_grants"], number
        if report.complete:
            return Cost(count, number, aws.calls, own, aws.seconds, seen, pages, pass_runs)
    raise AssertionError("runs go on for ever")


def main() -> None:
    """Print the table."""
    counts = [int(text) for text in sys.argv[1:]] or [1_000, 10_000, MANY]
    print("  grants  ListRetirableGrants  ListGrants  DynamoDB calls  own seconds  AWS's (assumed)", end="")
    print("   in all  runs")
    for cost in map(measure, counts):
        print(cost.line(), flush=True)


if __name__ == "__main__":
    main()
