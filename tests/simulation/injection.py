"""What can go wrong with one AWS call, and the plan of what does."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ReadTimeoutError

from tests.local_aws.cloud import AwsCall
from tests.simulation.database import Refused


class Kind(StrEnum):
    """A fault of one call. What is said of effects is about AWS, not about the caller."""

    THROTTLED = "throttled"
    SERVER_ERROR = "server error"
    TIME_OUT = "time-out"
    ACCESS_DENIED = "access denied"
    LOST_ANSWER = "answer lost"
    DIED_BEFORE = "process died before the call"
    DIED_AFTER = "process died after the call"
    STALE_READ = "stale index read"
    CONFLICT = "transaction conflict"
    PARTIAL_BATCH = "partial batch"
    ZOMBIE = "CreateGrant minutes late"
    NOT_FOUND = "grant not found although listed"
    STALE_LISTING = "grants listed as they were"
    RACED = "another caller in between"
    NEXT_PAGE = "next page throttled"
    ENTRIES = "entries refused one by one"


ONLY_FOR = {
    Kind.STALE_READ: {"Query"},
    Kind.CONFLICT: {"TransactWriteItems"},
    Kind.PARTIAL_BATCH: {"BatchGetItem"},
    Kind.ZOMBIE: {"CreateGrant"},
    Kind.NOT_FOUND: {"RetireGrant", "RevokeGrant"},
    Kind.STALE_LISTING: {"ListGrants", "ListRetirableGrants"},
    Kind.NEXT_PAGE: {"Query", "ListGrants", "ListRetirableGrants"},
    Kind.ENTRIES: {"PutEvents", "SendMessageBatch"},
}
_NEXT = {"ExclusiveStartKey", "Marker"}
_CODES = {
    Kind.THROTTLED: ("ThrottlingException", 400),
    Kind.SERVER_ERROR: ("InternalServerError", 500),
    Kind.ACCESS_DENIED: ("AccessDeniedException", 400),
    Kind.NOT_FOUND: ("NotFoundException", 400),
    Kind.NEXT_PAGE: ("ThrottlingException", 400),
}


class Died(BaseException):
    """The process is gone: everything unwinds, no handler answers."""


class Answered(Exception):  # noqa: N818 - AWS answered with an error
    """An error answer of AWS that was injected: nothing happened."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass(frozen=True)
class Fault:
    """Strikes a call that it fits once it let `after` of them pass; of the rarer calls the first or second.

    `lasting`: that service stays so for the rest of the step. `racer`: who comes in between. `operation`: the
    one operation that it may strike, None for any.
    """

    kind: Kind
    after: int = 0
    lasting: bool = False
    racer: int = 0
    operation: str | None = None

    @property
    def passes(self) -> int:
        """How many calls that it fits it lets pass."""
        return self.after % 2 if self.kind in ONLY_FOR else self.after

    def fits(self, call: AwsCall, service: str | None) -> bool:
        """Whether this call can suffer it. In a pause somebody else may act, and that is all."""
        if call.service == "clock":
            return self.kind == Kind.RACED and self.operation == call.operation
        names = {self.operation} if self.operation else ONLY_FOR.get(self.kind)
        match self.kind:
            case Kind.STALE_READ:
                fits = "IndexName" in call.parameters
            case Kind.NEXT_PAGE:
                fits = bool(call.parameters.keys() & _NEXT)
            case _:
                fits = True
        return fits and (names is None or call.operation in names) and service in {None, call.service}


Run = Callable[[], Any]


class Injector:
    """Stands before every AWS call of the broker. `counts`: what was injected; `total`: the calls.

    `blinded`: an index was read stale in this step. `calm`: the number of this step if nothing can go wrong
    in it, else None.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.total = 0
        self.blinded = False
        self.calm: int | None = None
        self._steps = itertools.count()
        self._plan: list[Fault] = []
        self._passed: Counter[int] = Counter()
        self._lasting: dict[Fault, str] = {}
        self.special: dict[Kind, Callable[[AwsCall, Run, Fault], Any]] = {}

    @property
    def outage(self) -> bool:
        """Whether a service fails for the rest of this step."""
        return bool(self._lasting)

    @contextmanager
    def under(self, plan: Sequence[Fault]) -> Iterator[None]:
        """The calls of one step, with these faults."""
        before = self._plan, self._passed, self._lasting, self.blinded, self.calm
        self._plan, self._passed, self._lasting, self.blinded = list(plan), Counter(), {}, False
        self.calm = None if plan else next(self._steps)
        try:
            yield
        finally:
            self._plan, self._passed, self._lasting, self.blinded, self.calm = before

    def call(self, call: AwsCall, run: Run) -> Any:
        """What becomes of a call."""
        self.total += call.service != "clock"
        fault = self._due(call)
        if fault is None:
            return run()
        self.counts[fault.kind] += 1
        self.blinded |= fault.kind == Kind.STALE_READ
        return self._struck_by(fault, call, run)

    def _due(self, call: AwsCall) -> Fault | None:
        for fault in self._plan:
            if not fault.fits(call, self._lasting.get(fault)):
                continue
            self._passed[id(fault)] += 1
            if self._passed[id(fault)] <= fault.passes:
                continue
            if fault.lasting:
                self._lasting[fault] = call.service
            else:
                self._plan.remove(fault)
            return fault
        return None

    def _struck_by(self, fault: Fault, call: AwsCall, run: Run) -> Any:
        match fault.kind:
            case Kind.TIME_OUT:
                raise ReadTimeoutError(endpoint_url=call.service)
            case Kind.LOST_ANSWER:
                _ignoring_refusal(run)
                raise ReadTimeoutError(endpoint_url=call.service)
            case Kind.DIED_BEFORE:
                raise Died
            case Kind.DIED_AFTER:
                _ignoring_refusal(run)
                raise Died
            case Kind.CONFLICT:
                raise Refused("TransactionCanceledException", [{"Code": "TransactionConflict"}])
        if fault.kind in self.special:
            return self.special[fault.kind](call, run, fault)
        raise Answered(*_CODES[fault.kind])


def _ignoring_refusal(run: Run) -> None:
    try:
        run()
    except Refused:
        return
