"""What a stack costs a month: counted work times AWS's prices.

`WORK` is what tests/integration/local_stack/test_costs.py counts on the local stack, call by call; whole days
of a simulated stack agree with it (tests/benchmarks/day.py). How long a call takes is an assumption, named
below; everything else is arithmetic.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

PRICES_OF = "us-east-1, list prices of November 2025, without the free tier"
# Dollars.
_GB_SECOND, _INVOCATION = 0.0000133334, 0.20e-6  # Lambda on arm64
_READ, _WRITE = 0.125e-6, 0.625e-6  # DynamoDB on demand, a request unit
_STORED = 5.00e-6  # S3, an object
_KMS_CALL, _API_CALL, _EVENT, _MESSAGE = 0.03 / 10_000, 3.50e-6, 1.00e-6, 0.40e-6
_ALARM, _DASHBOARD = 0.10, 3.00  # CloudWatch, a month
_POLLS = 15  # of the mails' queue, a minute: Lambda has five long polls of 20 s under way (assumed)

WAITS: Mapping[str, float] = {"dynamodb": 0.006, "kms": 0.012, "other": 0.012}
"""Seconds that a call of each service is waited for."""
_BUSY = 0.002  # seconds that a call keeps a whole processor busy
PROCESSOR = 1769
"""MB that come with a whole processor."""
MEMORY: Mapping[str, int] = {
    "requests": 512,
    "approvals": 512,
    "expiry": 768,
    "reconcile": 1024,
    "events": 256,
}
"""MB of each function, as in the template."""

ALARMS = 40
"""Alarms of the template, at most."""

DAYS = 30.4
"""Days of a month."""
_MINUTES = DAYS * 24 * 60
_RUN_COVERS = 130.0  # seconds ahead that a run of `expiry` looks
_STAYS_LONGER = 4.0  # seconds after the last end, until it is sure that none is near
_POLL = 2.0  # seconds between the looks of a run that stays
LOOKS = 2
"""How often a third party asks for its request."""
_PAGE = 100  # grants that reconcile compares at a time


@dataclass(frozen=True)
class Work:
    """What one run or call does, or a part of it, which is no invocation of its own.

    `dynamodb`, `kms` and `other` are calls, `reads` and `writes` request units, `busy` seconds of a whole
    processor beside the calls'.
    """

    function: str
    dynamodb: int = 0
    kms: int = 0
    other: int = 0
    reads: float = 0
    writes: float = 0
    busy: float = _BUSY
    part: bool = False

    def seconds(self) -> float:
        """How long it is billed: waiting for answers, and busy by its share of a processor."""
        calls = self.dynamodb + self.kms + self.other
        waited = self.dynamodb * WAITS["dynamodb"] + self.kms * WAITS["kms"] + self.other * WAITS["other"]
        return waited + (calls * _BUSY + self.busy) * PROCESSOR / MEMORY[self.function]


WORK: Mapping[str, Work] = {
    "expiry run": Work("expiry", dynamodb=5, reads=2.5),
    "expiry look": Work("expiry", dynamodb=3, reads=1.5, part=True),
    "expiry checks run": Work("expiry", dynamodb=1, reads=0.5),
    "expiry key check": Work("expiry", dynamodb=2, kms=1, reads=1, writes=4, part=True),
    "requests checks run": Work("requests", dynamodb=1, reads=0.5),
    "requests key check": Work("requests", dynamodb=6, kms=2, reads=4, writes=4, part=True),
    "approvals run": Work("approvals", dynamodb=1, reads=1),
    "reconcile run": Work("reconcile", dynamodb=20, kms=1, reads=10, writes=8),
    "reconcile region": Work("reconcile", dynamodb=2, kms=1, reads=1, writes=2, busy=0, part=True),
    "reconcile listing": Work("reconcile", kms=1, busy=0, part=True),
    "reconcile page": Work("reconcile", dynamodb=7, reads=3, part=True),
    "reconcile live grant": Work("reconcile", reads=4.5, busy=0.0004, part=True),
    "covered request": Work("requests", dynamodb=13, kms=2, reads=13, writes=60),
    "request shown": Work("requests", dynamodb=1, reads=1),
    "end": Work("expiry", dynamodb=6, kms=1, reads=2, writes=40, part=True),
    "confirmation": Work("expiry", dynamodb=3, kms=1, reads=1, writes=23, part=True),
    "events": Work("events", other=2),
    "archived request": Work("reconcile", dynamodb=4, other=1, reads=4, writes=32, part=True),
}
_EVENTS = 4  # of a request: submitted, intended, activated, closed
_BATCHES = 3  # in which the stream has them and what concerns them: the first are written within a second


@dataclass(frozen=True)
class Usage:
    """What is billed: a function's seconds with so many MB, request units, and calls of KMS."""

    memory: int
    seconds: float
    invocations: float
    reads: float
    writes: float
    kms: float

    def times(self, factor: float) -> "Usage":
        """So many times as much, with the same memory."""
        return Usage(
            memory=self.memory,
            seconds=self.seconds * factor,
            invocations=self.invocations * factor,
            reads=self.reads * factor,
            writes=self.writes * factor,
            kms=self.kms * factor,
        )


@dataclass
class Bill:
    """Dollars a month, by what they are for."""

    lines: dict[str, float] = field(default_factory=dict)

    def add(self, line: str, dollars: float) -> None:
        """Add to a line."""
        self.lines[line] = self.lines.get(line, 0.0) + dollars

    def charge(self, usage: Usage) -> None:
        """Add what usage costs."""
        gigabytes = usage.memory / 1024
        self.add("Lambda", usage.seconds * gigabytes * _GB_SECOND + usage.invocations * _INVOCATION)
        self.add("DynamoDB", usage.reads * _READ + usage.writes * _WRITE)
        self.add("KMS", usage.kms * _KMS_CALL)

    def work(self, name: str, times: float, *, stays: float = 0.0) -> None:
        """Add work done so many times; `stays`: seconds asleep in all."""
        work = WORK[name]
        invocations = 0 if work.part else 1
        usage = Usage(
            MEMORY[work.function], work.seconds(), invocations, work.reads, work.writes, work.kms
        ).times(times)
        self.charge(replace(usage, seconds=usage.seconds + stays))

    @property
    def compute_and_database(self) -> float:
        """Dollars for Lambda and DynamoDB."""
        return self.lines["Lambda"] + self.lines["DynamoDB"]

    @property
    def total(self) -> float:
        """All dollars."""
        return sum(self.lines.values())


def monthly(
    *, requests: float, live: float, ends: float, keys: int = 1, regions: int = 0, archived: float = 0
) -> Bill:
    """The bill of a month with so many requests and ends, at random times, and so many grants at once.

    `regions` are those of keys beside the stack's own. `archived` requests were closed long enough ago to be
    moved to the archive.
    """
    bill = Bill()
    stays = _MINUTES * staying(ends)
    bill.work("expiry run", _MINUTES, stays=stays)
    bill.work("expiry look", stays / _POLL)
    bill.work("expiry checks run", _MINUTES)
    bill.work("expiry key check", _MINUTES / 60 * keys)
    bill.work("requests checks run", _MINUTES)
    bill.work("requests key check", _MINUTES / 60 * keys)
    bill.work("approvals run", _MINUTES)
    bill.work("reconcile run", _MINUTES / 5)
    bill.work("reconcile region", _MINUTES / 5 * regions)
    pages = math.ceil(live / _PAGE)
    bill.work("reconcile listing", _MINUTES / 5 * max(1, pages))
    bill.work("reconcile page", _MINUTES / 5 * pages)
    bill.work("reconcile live grant", _MINUTES / 5 * live)
    bill.work("covered request", requests)
    bill.work("request shown", requests * LOOKS)
    bill.work("end", ends)
    bill.work("confirmation", ends)
    bill.work("events", requests * (_BATCHES - 1) + ends)
    if archived:
        bill.work("archived request", archived)
        bill.add("S3", archived * _STORED)
    bill.add("API Gateway", requests * (1 + LOOKS) * _API_CALL)
    bill.add("EventBridge and SQS", (requests * (_EVENTS - 1) + ends) * _EVENT + _MINUTES * _POLLS * _MESSAGE)
    bill.add("CloudWatch", ALARMS * _ALARM + _DASHBOARD)
    return bill


def staying(ends: float) -> float:
    """How long a run of `expiry` stays on average, in seconds: until the last end that it sees coming.

    Ends come at random: the last of those within what a run covers is that much before the end of it.
    """
    rate = ends / (_MINUTES * 60)
    if not rate:
        return 0.0
    seen = 1 - math.exp(-_RUN_COVERS * rate)
    return min(_RUN_COVERS, _RUN_COVERS - seen / rate + seen * _STAYS_LONGER)
