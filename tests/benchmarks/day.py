"""What whole days of a stack are billed, against what `grant-broker cost` reckons with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from grant_broker.client.costs import DAYS, Bill, monthly
from tests.benchmarks.cold_start import Options
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.processes import apart
from tests.benchmarks.simulated_day import Invoiced, SimulatedDay
from tests.benchmarks.warm import processor_of_a_call

KEYS, REGIONS = 2, 1  # registered keys; Regions beside the stack's own
LIVES = 1 / 24  # days that a grant lives
_DAYS = {0: 1, 100: 3, 1000: 1}
"""Grants a day, and how many such days: when the ends fall makes one day some percent dearer than another."""
_MOST = {0: 1.0, 100: 5.0}  # dollars a month for Lambda and DynamoDB


@dataclass(frozen=True)
class Day:
    """A day with so many grants, counted; `call_cpu` are the processor's seconds of a call."""

    grants: int
    invoiced: Mapping[str, Invoiced]
    call_cpu: float
    days: float = 1.0

    @property
    def counted(self) -> Bill:
        """The bill of a month of such days, for what functions and tables did."""
        bill = Bill()
        for invoiced in self.invoiced.values():
            bill.charge(invoiced.usage(self.call_cpu).times(DAYS / self.days))
        return bill

    @property
    def reckoned(self) -> Bill:
        """The bill that `grant-broker cost` gives."""
        month = self.grants * DAYS
        return monthly(requests=month, live=self.grants * LIVES, ends=month, keys=KEYS, regions=REGIONS)

    def lines(self) -> list[str]:
        """A row for each kind of invocation, then counted and reckoned dollars."""
        rows = [_row(name, each, each.usage(self.call_cpu).seconds) for name, each in self.invoiced.items()]
        return [
            f"\n{self.grants:,} grants a day for an hour each; {KEYS} keys; {self.days:g} days",
            "| invocations | number | billed ms | own CPU ms | DynamoDB | KMS | other | reads | writes |",
            "|---|---|---|---|---|---|---|---|---|",
            *sorted(rows),
            *(
                f"{name}: {self.counted.lines[name]:.3f} USD a month counted, "
                f"{self.reckoned.lines[name]:.3f} reckoned"
                for name in ("Lambda", "DynamoDB", "KMS")
            ),
        ]


def day(options: Options) -> list[Figure]:
    """Print days with 0, 100 and 1,000 grants: what they cost, and how far off the command is."""
    call_cpu = processor_of_a_call(options)
    found: list[Figure] = []
    simulated = apart([partial(_simulate, grants, days) for grants, days in _DAYS.items()])
    for (grants, days), invoiced in zip(_DAYS.items(), simulated, strict=True):
        passed = Day(grants, invoiced, call_cpu, days)
        print("\n".join(passed.lines()))
        counted, reckoned = passed.counted.compute_and_database, passed.reckoned.compute_and_database
        if most := _MOST.get(grants):
            name = f"{grants:,} grants a day: dollars a month for Lambda and DynamoDB, of {most:g}"
            found.append(Figure.of_pairs(name, [counted], [most], Target(1.0), "USD"))
        name = f"{grants:,} grants a day: counted against reckoned dollars"
        found.append(Figure.of_pairs(name, [counted], [reckoned], Target(1.1), "USD"))
    return found


def _simulate(grants: int, days: int) -> Mapping[str, Invoiced]:
    return SimulatedDay(grants, days * 86_400).run()


def _row(name: str, invoiced: Invoiced, seconds: float) -> str:
    calls = invoiced.calls
    other = calls.total() - calls["dynamodb"] - calls["kms"]
    return (
        f"| {name} | {invoiced.invocations:,} | {1000 * seconds:,.0f} | {1000 * invoiced.own:,.0f} "
        f"| {calls['dynamodb']:,} | {calls['kms']:,} | {other:,} "
        f"| {invoiced.reads:,.0f} | {invoiced.writes:,.0f} |"
    )
