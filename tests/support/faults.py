"""Faults of AWS calls: which operation meets what, call after call."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.local_aws.answers import AwsError, Response
from tests.local_aws.cloud import AwsCall, Cloud

GoOn = Callable[[], Response]
Fault = Callable[[GoOn], Response]


@dataclass(frozen=True)
class Act:
    """What somebody else does about a call; none of their own calls meets a fault of the same plan."""

    fault: Fault


# By operation, or by service for all of its operations: what the nth call meets (None: nothing), and later
# calls what the last of them met.
Plan = Mapping[str, Fault | Act | Sequence[Fault | Act | None]]


def refused(code: str, status: int = 400) -> Fault:
    """The call has no effect, and AWS says why."""
    return lambda _go_on: AwsError(code, "injected", status).response()


def lost(go_on: GoOn) -> Response:
    """The call takes effect; its answer is lost."""
    go_on()
    return AwsError("InternalFailure", "injected", 500).response()


def conflict(_go_on: GoOn) -> Response:
    """Another transaction holds an item: nothing is written."""
    body = b'{"__type":"TransactionCanceledException","CancellationReasons":[{"Code":"TransactionConflict"}]}'
    return 400, {"Content-Type": "application/x-amz-json-1.0"}, body


def answered(body: bytes) -> Fault:
    """The call has no effect, and this is the answer."""
    return lambda _go_on: (200, {}, body)


def before(act: Callable[[], object]) -> Act:
    """Somebody acts just before the call takes effect."""

    def fault(go_on: GoOn) -> Response:
        act()
        return go_on()

    return Act(fault)


class _Plan:
    """A plan that is being met. `calls`: those that it is about, as they are made."""

    def __init__(self, plan: Plan, when: Callable[[AwsCall], bool], beneath: "_Intercept | None") -> None:
        self._plan, self._when, self._beneath = plan, when, beneath
        self.calls: list[AwsCall] = []
        self._seen = Counter[str]()
        self._acting = False
        self._lock = threading.Lock()

    def intercept(self, call: AwsCall, run: GoOn) -> Response:
        """The cloud's hook."""

        def go_on() -> Response:
            answer = self._beneath(call, run) if self._beneath else None
            return run() if answer is None else answer

        match self._next(call):
            case None:
                return go_on()
            case Act(fault):
                # For every thread: whoever acts may have several.
                self._acting = True
                try:
                    return fault(go_on)
                finally:
                    self._acting = False
            case fault:
                return fault(go_on)

    def _next(self, call: AwsCall) -> Fault | Act | None:
        name = call.operation if call.operation in self._plan else call.service
        if self._acting or name not in self._plan or not self._when(call):
            return None
        planned = self._plan[name]
        faults = planned if isinstance(planned, Sequence) else [planned]
        with self._lock:
            self.calls.append(call)
            self._seen[name] += 1
            return faults[min(self._seen[name], len(faults)) - 1]


_Intercept = Callable[[AwsCall, GoOn], Response | None]


@contextmanager
def faults(
    cloud: Cloud, plan: Plan, *, when: Callable[[AwsCall], bool] = lambda _call: True
) -> Iterator[list[AwsCall]]:
    """Meanwhile calls meet what is planned for them; `when` picks the calls that count.

    Within another such block both hold, the inner first. Gives the calls of the plan as they are made.
    """
    outer = cloud.intercept
    met = _Plan(plan, when, outer)
    cloud.intercept = met.intercept
    try:
        yield met.calls
    finally:
        cloud.intercept = outer
