"""The whole stack, running: AWS and the API over HTTP, the functions in processes of their own."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import ThreadingHTTPServer
from typing import Any, Self

from tests.local_aws import server
from tests.local_aws.cloud import Cloud
from tests.local_stack import gateway_server, watch
from tests.local_stack.client import Client
from tests.local_stack.cloudtrail import CloudTrail
from tests.local_stack.deployment import Deployment
from tests.local_stack.gateway import Gateway
from tests.local_stack.nursery import Nursery
from tests.local_stack.people import TRUSTED, Person
from tests.local_stack.queues import QueueLane
from tests.local_stack.schedules import Scheduler
from tests.local_stack.streams import Lane, Streams
from tests.local_stack.template import Schedule
from tests.local_stack.triggers import queues, routes, schedules, streams
from tests.local_stack.workers import FailedError, Workers

# Of one function: three runs of each of two schedules may overlap, and calls come beside them.
_AT_ONCE = 8
# Off by default; here all that there is to try is on.
_PARAMETERS = {"UsageEvidence": "yes", "Archive": "yes", "ArchiveAfterDays": 30}
_LONGEST_WINDOW = 5  # seconds that a queue is waited for


@dataclass(frozen=True)
class Options:
    """How to run: port 0 picks a free one; `schedule_seconds` None leaves the template's intervals."""

    api_port: int = 0
    aws_port: int = 0
    schedule_seconds: float | None = None
    propagation_seconds: float = 0
    log: Callable[[str], None] = lambda _: None


@dataclass
class Stack:
    """A running stack; `close` ends it with all its processes."""

    deployment: Deployment
    options: Options
    nursery: Nursery
    aws: ThreadingHTTPServer
    pools: list[Workers] = field(default_factory=list)
    shared: dict[str, Workers] = field(default_factory=dict)
    lanes: list[Lane | QueueLane] = field(default_factory=list)
    timers: list[Scheduler] = field(default_factory=list)
    api: ThreadingHTTPServer | None = None
    gateway: Gateway | None = None

    @classmethod
    def start(cls, options: Options) -> Self:
        """Everything up and answering, `partner_data` registered."""
        # First, since it loads while this process deploys.
        nursery = Nursery()
        try:
            cloud = Cloud(lambda: datetime.now(UTC))
            aws = server.serve(cloud, options.aws_port)
            stack = cls(Deployment.create(cloud, parameters=_PARAMETERS), options, nursery, aws)
            stack.spread(options.propagation_seconds)
        except BaseException:
            nursery.close()
            raise
        try:
            stack._begin()
        except BaseException:
            stack.close()
            raise
        return stack

    def spread(self, seconds: float) -> None:
        """From now on KMS knows of grants, and of their ends, so much later; tokens bridge it."""
        self.deployment.cloud.spread(timedelta(seconds=seconds))

    def _begin(self) -> None:
        _run(self.aws)
        self._start_api()
        self._start_streams()
        CloudTrail(self.deployment).start()
        # What ends grants is there before the first grant is; what compares may come a little later.
        self._shared("expiry").start()
        for pool in self.pools:
            pool.wait_ready()
        self.register("partner_data", TRUSTED)
        for schedule in schedules(self.deployment.template):
            self.timers.append(self._timer(schedule, self._shared(schedule.function)))

    def _start_api(self) -> None:
        for name in sorted({route.function for route in routes(self.deployment.template)}):
            self._shared(name).start()
        self.gateway = Gateway.of(self.deployment, lambda name, event: self._shared(name).invoke(event))
        self.api = gateway_server.serve(self.gateway, self.options.api_port)
        _run(self.api)
        cloud, template = self.deployment.cloud, self.deployment.template
        cloud.stacks[template.stack_id] = {**template.outputs(), "ApiUrl": self.api_url}
        watch.create(self.deployment)

    def _start_streams(self) -> None:
        lanes = []
        for stream in streams(self.deployment.template):
            pool = self._pool(stream.function, most=1)
            pool.start()
            lanes.append(Lane(stream, pool.invoke, self._lost))
        self.deployment.cloud.intercept = Streams(self.deployment.cloud, lanes).intercept
        self.lanes += [*lanes, *self._queue_lanes()]
        for lane in self.lanes:
            lane.start()

    def _queue_lanes(self) -> Iterator[QueueLane]:
        cloud = self.deployment.cloud
        for queue in queues(self.deployment.template):
            client = cloud.session(self.deployment.credentials(queue.function)).client("sqs")
            pool = self._pool(queue.function, most=queue.at_once)
            if queue.window > _LONGEST_WINDOW:
                # Gathered for a minute to save calls of Lambda, which here cost nothing.
                yield QueueLane(replace(queue, window=0.5), client, pool.invoke, look=0.5)
            else:
                yield QueueLane(queue, client, pool.invoke)

    def _timer(self, schedule: Schedule, pool: Workers) -> Scheduler:
        def run() -> None:
            try:
                pool.invoke(schedule.payload)
            except FailedError:
                # The pool has logged it; the next run repeats it, as on AWS.
                return

        return Scheduler(schedule, run, self.options.schedule_seconds)

    def _shared(self, function: str) -> Workers:
        """The processes for a function's calls and schedules; its stream has one to itself."""
        if function not in self.shared:
            self.shared[function] = self._pool(function, most=_AT_ONCE)
        return self.shared[function]

    def _pool(self, function: str, most: int) -> Workers:
        environment = self.deployment.process_environment(function, self.aws_url)
        pool = Workers(
            self.deployment.functions[function], environment, self.nursery, most=most, log=self.options.log
        )
        self.pools.append(pool)
        return pool

    def _lost(self, destination: str, message: dict[str, Any]) -> None:
        cloud = self.deployment.cloud
        client = cloud.session(cloud.root()).client("sqs")
        url = client.get_queue_url(QueueName=destination.rpartition(":")[2])["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody=json.dumps(message))

    @property
    def aws_url(self) -> str:
        """What any AWS client takes as its endpoint."""
        return f"http://127.0.0.1:{self.aws.server_port}"

    @property
    def api_url(self) -> str:
        """The broker's API with its stage, as on AWS."""
        if self.api is None or self.gateway is None:
            raise RuntimeError("the API is not up yet")
        return f"http://127.0.0.1:{self.api.server_port}/{self.gateway.stage}"

    def client(self, person: str) -> Client:
        """A client of the API for one of the people."""
        found = self.deployment.people[person]
        return Client(self.api_url, self.deployment.cloud.region, found.credentials)

    def register(self, name: str, accounts: tuple[str, ...]) -> None:
        """Register a key with the default limits, as the security team does."""
        key_id = self.deployment.keys[name].rpartition("/")[2]
        document = {"name": name, "accounts": list(accounts), "context_match": "subset"}
        answer = self.client("alice").call("PUT", f"/security/keys/{key_id}", document)
        if answer.status not in {200, 201}:
            raise RuntimeError(f"{name} could not be registered: {answer.status} {answer.body}")

    def ready(self) -> dict[str, Any]:
        """What the ready file says."""
        functions = {name: Person(self.deployment.credentials(name)) for name in self.deployment.functions}
        return {
            "api_url": self.api_url,
            "aws_url": self.aws_url,
            "region": self.deployment.cloud.region,
            "keys": self.deployment.keys,
            "people": {name: person.shown() for name, person in self.deployment.people.items()},
            "functions": {name: function.shown() for name, function in functions.items()},
            "tables": {
                "requests": self.deployment.request_table,
                "approvals": self.deployment.approval_table,
            },
        }

    def close(self) -> None:
        """Stop listening, deliver nothing more, end all processes."""
        for timer in self.timers:
            timer.stop()
        for lane in self.lanes:
            lane.stop()
        for pool in self.pools:
            pool.hang_up()
        for pool in self.pools:
            pool.close()
        self.nursery.close()
        for listening in (self.api, self.aws):
            if listening is not None:
                listening.shutdown()
                listening.server_close()


def _run(listening: ThreadingHTTPServer) -> None:
    threading.Thread(target=partial(listening.serve_forever, 0.1), daemon=True).start()
