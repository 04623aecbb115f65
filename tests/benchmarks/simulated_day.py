"""A day of a deployed stack on a simulated clock: every invocation with what it is billed for.

The template's schedules and streams set the broker's own handlers going, on the strict local KMS and a fast
database, where calls take no time. An invocation is billed for what it sleeps, for its calls, each of which
is assumed to take what it takes on AWS, and for its own work, measured here, on its share of a processor.
"""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from moto.moto_api._internal.models import moto_api_backend

from grant_broker.client.costs import LOOKS, PROCESSOR, WAITS, Usage
from tests.benchmarks.processes_in_time import Timeline
from tests.local_aws.answers import Response
from tests.local_aws.cloud import AwsCall, Credentials
from tests.local_stack.proxy import matched, proxy_event
from tests.local_stack.triggers import routes, schedules
from tests.simulation.world import PARTNER, START, World
from tests.support.context import Context
from tests.support.inline import Inline
from tests.support.metering import Item, changes_of, indexes_of, read_units, written_units

_STREAM = timedelta(seconds=0.2)  # until a function has what was written
_LATER = timedelta(minutes=2)  # from its submission until a third party looks at its request, and again
_TIME_OUT = timedelta(minutes=4)  # of a scheduled function
_HOUR = timedelta(hours=1)  # that a grant lives, and before what is billed
_DAY = 86_400


@dataclass
class Invoiced:
    """What the invocations of one kind did, and are billed for. `slept` and `own` are seconds."""

    function: str
    memory: int
    invocations: int = 0
    slept: float = 0.0
    own: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    reads: float = 0.0
    writes: float = 0.0

    def usage(self, call_cpu: float) -> Usage:
        """What is billed, where a call keeps a whole processor busy for `call_cpu` seconds."""
        waited = sum(count * WAITS.get(service, WAITS["other"]) for service, count in self.calls.items())
        busy = self.own + self.calls.total() * call_cpu
        seconds = self.slept + waited + busy * max(1.0, PROCESSOR / self.memory)
        return Usage(self.memory, seconds, self.invocations, self.reads, self.writes, self.calls["kms"])


class _Quiet(World):
    """The world on a timeline, without faults, and without anybody who watches for what they do."""

    def __init__(self) -> None:
        self.timeline = Timeline(START)
        super().__init__()

    @property
    def now(self) -> datetime:
        """The timeline's time."""
        return self.timeline.now

    @now.setter
    def now(self, moment: datetime) -> None:
        self.timeline.now = moment

    def _plant(self) -> None:
        """Nobody else has a grant."""

    def sleep(self, _function: str, seconds: float) -> None:
        """A function sleeps."""
        self.timeline.sleep(seconds)

    def kms_answer(
        self, caller: Credentials, region: str, operation: str, parameters: dict[str, Any]
    ) -> Response:
        """The answer of a Region's KMS to a call."""
        call = AwsCall("kms", operation, parameters, caller.arn, region)
        answer: Response = self.injector.call(call, partial(self._by_kms, caller, call))
        return answer


class _Running(Context):
    """A run by the simulated clock."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline, self._until = timeline, timeline.now + _TIME_OUT

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]
        """Milliseconds until Lambda stops the function."""
        return int((self._until - self._timeline.now).total_seconds() * 1000)


class SimulatedDay:
    """A stack with two registered keys and an approval for `grants` covered requests a day, at random times.

    It lasts for `seconds`, after an hour that is not billed, in which the stack gets under way. Each grant
    lives for an hour.
    """

    def __init__(self, grants: int, seconds: int = _DAY) -> None:
        self.grants, self.seconds = grants, seconds
        self.invoiced: dict[str, Invoiced] = {}
        self._current = threading.local()
        self._world = _Quiet()
        self._world.reset()
        self._world.database.page, self._world.database.watch = 10_000, None
        self._world.injector.call = self._call  # type: ignore[method-assign]
        self._timeline = self._world.timeline
        self._current.invoiced = Invoiced("nobody", PROCESSOR)
        self._memory = {name: each.memory for name, each in self._world.deployment.functions.items()}
        self._begins, self._routes = START + _HOUR, routes(self._world.deployment.template)
        self._indexes = {
            table: indexes_of(self._world.deployment.template, table) for table in self._world.database.tables
        }

    def run(self) -> dict[str, Invoiced]:
        """Let it pass; what each kind of invocation is billed for."""
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            expiry = self._world.processes.handler("expiry")
            expiry.run = partial(expiry.run, pool=Inline)  # type: ignore[attr-defined]
            self._approve_ahead()
            end = self._begins + timedelta(seconds=self.seconds)
            self._plan_schedules(end)
            self._plan_requests(end)
            self._timeline.before_each = self._deliver
            self._timeline.run(end)
        # Its tables are moto's, of the same names as the next stack's.
        moto_api_backend.reset()
        return self.invoiced

    # ------------------------------------------------------------ what happens
    def _approve_ahead(self) -> None:
        approval = {
            "key": self._world.keys.arns["partner_data"], "account": PARTNER, "operations": ["Encrypt"],
            "encryption_context": {"tenant": "a"}, "context_match": "subset", "max_duration": "PT1H",
            "valid_until": "2030-02-01T00:00:00Z", "reason": "nightly loads",
        }  # fmt: skip
        answer = self._world.call("alice", "POST", "/security/approvals", approval)
        if answer is None or answer.status != 201:
            raise ValueError(f"not approved: {answer}")

    def _plan_schedules(self, end: datetime) -> None:
        for number, schedule in enumerate(schedules(self._world.deployment.template)):
            at = START + timedelta(seconds=7 * number)
            kind = f"{schedule.function} {'checks run' if 'check' in schedule.payload else 'run'}"
            while at < end:
                self._plan(at, kind, schedule.function, schedule.payload)
                at += timedelta(seconds=schedule.seconds)

    def _plan_requests(self, end: datetime) -> None:
        times = Random(self.grants)  # noqa: S311 - the same day each time
        for begins, ends in ((START, self._begins), (self._begins, end)):
            length = (ends - begins).total_seconds()
            for number in range(round(self.grants * length / _DAY)):
                at = begins + timedelta(seconds=times.uniform(0, length))
                self._timeline.plan(at, partial(self._submit, f"{begins:%H}-{number}"))

    def _submit(self, load: str) -> None:
        body = {
            "key": self._world.keys.arns["partner_data"], "grantee": self._world.grantees[0],
            "operations": ["Encrypt"], "encryption_context": {"tenant": "a", "load": load},
            "context_match": "equals", "duration": "PT1H", "reason": "nightly load",
        }  # fmt: skip
        answer = self._invoke("covered request", "requests", self._event("POST", "/requests", body))
        made = json.loads(answer["body"])
        if made.get("status") != "active":
            raise ValueError(f"not granted: {made}")
        look = self._event("GET", f"/requests/{made['id']}")
        for place in range(1, 1 + LOOKS):
            self._plan(self._timeline.now + place * _LATER, "request shown", "requests", look)

    def _event(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        found = matched(self._routes, method, path)
        if found is None:
            raise KeyError(path)
        route, parameters = found
        text = None if body is None else json.dumps(body)
        people, directory = self._world.people, self._world.cloud.directory
        return proxy_event(directory, people["partner"], route, path, parameters=parameters, body=text)

    def _deliver(self) -> None:
        """Have each function get what waits for it in the stream."""
        streams = self._world.streams
        for function, source in streams.sources.items():
            if streams.place[function] == len(self._world.database.stream):
                continue
            records = streams.waiting(function)
            streams.place[function] = len(self._world.database.stream)
            for first in range(0, len(records), source.batch_size):
                batch = {"Records": records[first : first + source.batch_size]}
                self._plan(self._timeline.now + _STREAM, f"{function} stream", function, batch)

    # ------------------------------------------------------------ invocations
    def _plan(self, at: datetime, kind: str, function: str, event: dict[str, Any]) -> None:
        self._timeline.plan(at, lambda: self._invoke(kind, function, event))

    def _invoke(self, kind: str, function: str, event: dict[str, Any]) -> dict[str, Any]:
        handler = self._world.processes.handler(function).lambda_handler
        invoiced = Invoiced(function, self._memory[function])
        if self._timeline.now >= self._begins:
            invoiced = self.invoiced.setdefault(kind, invoiced)
        self._current.invoiced, began = invoiced, self._timeline.now
        used = time.thread_time()
        answer: dict[str, Any] = handler(event, _Running(self._timeline))
        invoiced.own += time.thread_time() - used
        invoiced.invocations += 1
        invoiced.slept += (self._timeline.now - began).total_seconds()
        return answer

    def _call(self, call: AwsCall, run: Callable[[], Any]) -> Any:
        """Let a call through, and note it; what the local AWS works is not the function's."""
        used = time.thread_time()
        try:
            before = [(kind, given, self._stored(given)) for kind, given in _parts(call)]
            answer = run()
            self._note(call, answer, before)
        finally:
            self._current.invoiced.own -= time.thread_time() - used
        return answer

    def _note(self, call: AwsCall, answer: Any, before: list[tuple[str, Item, Item]]) -> None:
        invoiced: Invoiced = self._current.invoiced
        invoiced.calls[call.service] += 1
        if call.service != "dynamodb":
            return
        invoiced.reads += read_units(call, answer)
        for kind, given, old in before:
            indexes = self._indexes[given["TableName"]] if kind != "ConditionCheck" else []
            invoiced.writes += written_units(indexes, old, self._stored(given))

    def _stored(self, given: Item) -> Item:
        key = given.get("Key") or given["Item"]
        table = self._world.database.tables[given["TableName"]]
        return table.items.get((key["pk"]["S"], key["sk"]["S"]), {})


def _parts(call: AwsCall) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if call.service == "dynamodb":
        for change in changes_of(call):
            yield from change.items()
