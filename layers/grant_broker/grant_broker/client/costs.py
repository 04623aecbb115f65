"""What a stack costs a month: counted work times AWS's prices.

`WORK` is what tests/integration/local_stack/test_costs.py counts on the local stack, call by call. How long a
call takes is an assumption, named below; everything else is arithmetic.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

PRICES_OF = "us-east-1, list prices of November 2025, without the free tier"
# Dollars.
_GB_SECOND, _INVOCATION = 0.0000133334, 0.20e-6  # Lambda on arm64
_READ, _WRITE = 0.125e-6, 0.625e-6  # DynamoDB on demand, a request unit
_KMS_CALL, _API_CALL, _EVENT, _MESSAGE = 0.03 / 10_000, 3.50e-6, 1.00e-6, 0.40e-6
_ALARM, _DASHBOARD = 0.10, 3.00  # CloudWatch, a month

# Seconds that a call is waited for, and that it keeps a whole processor busy.
_DYNAMODB, _KMS, _OTHER, _BUSY = 0.006, 0.012, 0.012, 0.002
_PROCESSOR = 1769  # MB that come with one
MEMORY: Mapping[str, int] = {
    "requests": 512,
    "approvals": 512,
    "expiry": 768,
    "reconcile": 1024,
    "events": 256,
}
"""MB of each function, as in the template."""

ALARMS = 30
"""Alarms of the template, at most."""

_DAYS = 30.4
_MINUTES = _DAYS * 24 * 60
_RUN_COVERS = 130.0  # seconds ahead that a run of `expiry` looks
_STAYS_LONGER = 4.0  # seconds after the last end, until it is sure that none is near
_LOOK = 0.65  # read units a second that it stays
_BROKER_CALLS = 3  # API calls a request: it is submitted, looked at, released


@dataclass(frozen=True)
class Work:
    """What one run or call does. `dynamodb`, `kms` and `other` are calls, the rest request units."""

    function: str
    dynamodb: int = 0
    kms: int = 0
    other: int = 0
    reads: float = 0
    writes: float = 0

    def seconds(self, stays: float = 0.0) -> float:
        """How long it is billed: waiting for answers, busy by its share of a processor, and asleep."""
        calls = self.dynamodb + self.kms + self.other
        waited = self.dynamodb * _DYNAMODB + self.kms * _KMS + self.other * _OTHER
        return waited + (calls + 1) * _BUSY * _PROCESSOR / MEMORY[self.function] + stays


WORK: Mapping[str, Work] = {
    "expiry run": Work("expiry", dynamodb=6, reads=2.5, writes=2),
    "expiry checks run": Work("expiry", dynamodb=1, reads=0.5),
    "requests checks run": Work("requests", dynamodb=1, reads=0.5),
    "reconcile run": Work("reconcile", dynamodb=13, kms=2, reads=6.5, writes=6),
    "reconcile live grant": Work("reconcile", dynamodb=7, reads=7.5),
    "covered request": Work("requests", dynamodb=11, kms=2, reads=11, writes=60),
    "end": Work("expiry", dynamodb=6, kms=1, reads=2, writes=40),
    "confirmation": Work("expiry", dynamodb=3, kms=1, reads=1, writes=23),
    "event": Work("events", other=2),
}
_EVENTS = 4  # submitted, intended, activated, closed


@dataclass
class Bill:
    """Dollars a month, by what they are for."""

    lines: dict[str, float] = field(default_factory=dict)

    def add(self, line: str, dollars: float) -> None:
        """Add to a line."""
        self.lines[line] = self.lines.get(line, 0.0) + dollars

    def work(self, name: str, times: float, *, stays: float = 0.0) -> None:
        """Add work done so many times; `stays`: seconds asleep in all."""
        work = WORK[name]
        seconds = times * work.seconds() + stays
        self.add("Lambda", seconds * MEMORY[work.function] / 1024 * _GB_SECOND + times * _INVOCATION)
        self.add("DynamoDB", times * (work.reads * _READ + work.writes * _WRITE))
        self.add("KMS", times * work.kms * _KMS_CALL)

    @property
    def compute_and_database(self) -> float:
        """Dollars for Lambda and DynamoDB."""
        return self.lines["Lambda"] + self.lines["DynamoDB"]

    @property
    def total(self) -> float:
        """All dollars."""
        return sum(self.lines.values())


def monthly(*, requests: float, live: float, ends: float) -> Bill:
    """The bill of a month with so many requests and ends, spread evenly, and so many grants live at once."""
    bill = Bill()
    stays = _MINUTES * staying(ends)
    bill.work("expiry run", _MINUTES, stays=stays)
    bill.add("DynamoDB", stays * _LOOK * _READ)
    bill.work("expiry checks run", _MINUTES)
    bill.work("requests checks run", _MINUTES)
    bill.work("reconcile run", _MINUTES / 5)
    bill.work("reconcile live grant", _MINUTES / 5 * live)
    bill.work("covered request", requests)
    bill.work("end", ends)
    bill.work("confirmation", ends)
    bill.work("event", requests * (_EVENTS - 1) + ends)
    bill.add("API Gateway", requests * _BROKER_CALLS * _API_CALL)
    bill.add("EventBridge and SQS", (requests * (_EVENTS - 1) + ends) * (_EVENT + 2 * _MESSAGE))
    bill.add("CloudWatch", ALARMS * _ALARM + _DASHBOARD)
    return bill


def staying(ends: float) -> float:
    """How long a run of `expiry` stays on average, in seconds: until the last end that it sees coming.

    Ends come evenly: the last of those within what a run covers is that much before the end of it.
    """
    rate = ends / (_MINUTES * 60)
    if not rate:
        return 0.0
    seen = 1 - math.exp(-_RUN_COVERS * rate)
    return min(_RUN_COVERS, _RUN_COVERS - seen / rate + seen * _STAYS_LONGER)
