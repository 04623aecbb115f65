"""The template deployed in this process: its handlers, its clock, its people, and what AWS answers."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from grant_broker.aws.agenda import AgendaEntry
from grant_broker.domain.agenda import Part
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.request import GrantRequest
from grant_broker.expiry.run import Pool, Report, run
from tests.local_aws.cloud import AwsCall, Cloud, Credentials
from tests.local_stack.brokers import Answer, Brokers
from tests.local_stack.deployment import Deployment
from tests.support.context import Context
from tests.support.faults import Plan, before, faults
from tests.support.inline import Inline
from tests.support.limits import limits

START = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
ACCOUNTS = ("444455556666", "666677778888")
Who = str | Credentials
_MORE = "more-"  # begins the names of policies that a test gives a role
_BATCH = 25  # writes that BatchWriteItem takes
T = TypeVar("T")


@dataclass
class Clock:
    """A clock that moves only when somebody sleeps or a test says so."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def advance(self, **parts: float) -> None:
        """Let time pass: hours, minutes."""
        self.now += timedelta(**parts)


@dataclass
class InProcessStack:
    """The template deployed in this process, emptied between tests."""

    deployment: Deployment
    brokers: Brokers
    clock: Clock
    restore_people: Callable[[], None]
    key_arn: str
    """The key that calls are about: the founding scenario's, unless a test takes another."""

    @classmethod
    def deploy(cls, **parameters: Any) -> "InProcessStack":
        """Deploy `template.yaml` into a cloud of its own."""
        clock = Clock()
        deployment = Deployment.create(Cloud(clock), parameters=parameters)
        brokers = Brokers(deployment, clock, clock.sleep)
        remembered = deployment.cloud.directory.remember()
        return cls(deployment, brokers, clock, remembered, deployment.keys["partner_data"])

    @property
    def cloud(self) -> Cloud:
        """The local AWS beneath."""
        return self.deployment.cloud

    @cached_property
    def tables(self) -> Any:
        """DynamoDB, as the account's root."""
        return self._root.client("dynamodb")

    @cached_property
    def kms(self) -> Any:
        """KMS in the stack's own Region, as the account's root."""
        return self._root.client("kms")

    def kms_of(self, key_arn: str) -> Any:
        """KMS in a key's Region, as the account's root."""
        region = key_arn.split(":")[3]
        return self.kms if region == self.cloud.region else self._root.client("kms", region_name=region)

    @cached_property
    def _root(self) -> Any:
        return self.deployment.cloud.session(self.deployment.cloud.root())

    @property
    def key_id(self) -> str:
        """The last part of its ARN."""
        return self.key_arn.rpartition("/")[2]

    def reset(self) -> None:
        """Empty tables, no grant, the clock at its start, the key registered with its default limits."""
        self.empty()
        assert self.limit().status == 201

    def empty(self) -> None:
        """Empty tables, no grant on any key, keys and roles as deployed, the clock at its start."""
        self.cloud.intercept = None
        self.spread(timedelta(0))
        for table in (self.deployment.request_table, self.deployment.approval_table):
            items = self.tables.scan(TableName=table, ProjectionExpression="pk, sk")["Items"]
            self._write(table, [{"DeleteRequest": {"Key": key}} for key in items])
        for key_arn in self.cloud.key_arns:
            for grant in self.cloud.grants(key_arn):
                self.kms_of(key_arn).revoke_grant(KeyId=key_arn, GrantId=grant["GrantId"])
        self._restore()
        self.clock.now = START
        self.brokers.metrics.clear()

    def _restore(self) -> None:
        self.key_arn = self.deployment.keys["partner_data"]
        self.cloud.put_key_policy(self.key_arn, self.key_policy())
        self.cloud.kms.keys[self.key_arn].state = "Enabled"
        self.cloud.kms.keys[self.key_arn].last_use = None
        self.restore_people()
        for role in self.cloud.directory.principals.values():
            for name in [name for name in role.inline if name.startswith(_MORE)]:
                role.remove(name)

    def fill(self, table: str, items: Sequence[dict[str, Any]]) -> None:
        """Write items past the broker, in DynamoDB's JSON."""
        self._write(table, [{"PutRequest": {"Item": item}} for item in items])

    def _write(self, table: str, requests: Sequence[dict[str, Any]]) -> None:
        for start in range(0, len(requests), _BATCH):
            self.tables.batch_write_item(RequestItems={table: requests[start : start + _BATCH]})

    def credentials(self, who: str) -> Credentials:
        """Somebody's credentials."""
        return self.deployment.people[who].credentials

    def grantee(self, who: str) -> str:
        """The role ARN to name in a request."""
        return str(self.deployment.people[who].grantee)

    def call(
        self, who: Who, method: str, path: str, body: Any = None, *, once: str | None = None,
        if_match: str | None = None, query: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """One API call; `once` is its Idempotency-Key, `if_match` its If-Match."""
        caller = self.credentials(who) if isinstance(who, str) else who
        given = {"Idempotency-Key": once, "If-Match": if_match}
        headers = {name: value for name, value in given.items() if value}
        return self.brokers.call(caller, method, path, body, query=query, headers=headers)

    def limit(self, who: Who = "alice", key_id: str | None = None, **changes: Any) -> Answer:
        """PUT the key's limits: the defaults, but for the changes."""
        return self.call(who, "PUT", f"/security/keys/{key_id or self.key_id}", limits(**changes))

    def security(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        """A call by a member of the security team, below the key."""
        return self.call("alice", method, f"/security/keys/{self.key_id}{path}", body, query=query)

    def check(self) -> dict[str, Any]:
        """Run both functions' checks that are due; what the API then says of the key."""
        for function in ("requests", "expiry"):
            self.run_checks(function)
        answer = self.security("GET", "/check")
        assert answer.status == 200
        found: dict[str, Any] = answer.body
        return found

    def run_checks(self, function: str) -> Any:
        """One scheduled run of a function's checks, without its log."""
        handler = inspect.unwrap(self.brokers.handler(function).lambda_handler)
        return handler({"check": function}, Context())

    def key_policy(self) -> dict[str, Any]:
        """The founding key's policy, as deployed."""
        found: dict[str, Any] = self.deployment.template.properties("PartnerDataKey")["KeyPolicy"]
        return found

    def spread(self, within: timedelta) -> None:
        """From now on KMS knows of grants and of their ends so much later."""
        self.cloud.spread(within)

    def put_policy_without(self, *sids: str) -> None:
        """Take statements out of the key's policy."""
        policy = self.key_policy()
        left = [each for each in policy["Statement"] if each["Sid"] not in sids]
        self.cloud.put_key_policy(self.key_arn, {**policy, "Statement": left})

    def allow(self, role: str, actions: list[str], resource: str) -> None:
        """Give a role of the template one more IAM policy."""
        found = self.cloud.directory.principals[self.deployment.template.reference(role, "Arn")]
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
        found.put(f"{_MORE}{len(found.inline)}", {"Version": "2012-10-17", "Statement": [statement]})

    def submission(self, **changes: Any) -> dict[str, Any]:
        """A good submission of the partner, but for the changes; None leaves a field out."""
        body = {
            "key": "partner_data", "grantee": self.grantee("partner"), "operations": ["Encrypt"],
            "encryption_context": {"tenant": "a"}, "duration": "PT2H", "reason": "nightly load",
        }  # fmt: skip
        return {name: value for name, value in (body | changes).items() if value is not None}

    def submit(self, who: Who = "partner", *, once: str | None = None, **changes: Any) -> Answer:
        """POST a submission."""
        return self.call(who, "POST", "/requests", self.submission(**changes), once=once)

    def decide(
        self, request_id: str, who: Who = "alice", verdict: str = "approve", *,
        once: str | None = None, **more: Any,
    ) -> Answer:  # fmt: skip
        """Vote on a request."""
        path = f"/security/requests/{request_id}/decision"
        return self.call(who, "POST", path, {"verdict": verdict, **more}, once=once)

    def take_up(self, request_id: str, who: Who = "partner") -> Answer:
        """Take a request up."""
        return self.call(who, "POST", f"/requests/{request_id}/grant")

    def extend(
        self, request_id: str, who: Who = "partner", *, duration: str = "PT4H", reason: str = "still loading",
        once: str | None = None, **more: Any,
    ) -> Answer:  # fmt: skip
        """Ask to go on with its grant."""
        body = {"duration": duration, "reason": reason, **more}
        return self.call(who, "POST", f"/requests/{request_id}/extension", body, once=once)

    def release(self, request_id: str, who: Who = "partner") -> Answer:
        """Release its grant."""
        return self.call(who, "DELETE", f"/requests/{request_id}/grant")

    def revoke(self, request_id: str, who: str = "alice") -> Answer:
        """Revoke it."""
        return self.call(who, "DELETE", f"/security/requests/{request_id}/grant", {"reason": "incident 7"})

    def approval(self, **changes: Any) -> dict[str, Any]:
        """A good standing approval for what `submit` asks, until tomorrow; None leaves a field out."""
        body = {
            "key": "partner_data", "account": "444455556666", "operations": ["Encrypt"],
            "encryption_context": {"tenant": "a"}, "max_duration": "PT4H", "reason": "nightly loads",
            "valid_until": time(self.clock.now + timedelta(days=1)),
        }  # fmt: skip
        return {name: value for name, value in (body | changes).items() if value is not None}

    def approve_ahead(self, who: str = "alice", *, once: str | None = None, **changes: Any) -> Answer:
        """Make a standing approval."""
        return self.call(who, "POST", "/security/approvals", self.approval(**changes), once=once)

    def pending(self, **changes: Any) -> str:
        """The id of a request that waits for a decision."""
        answer = self.submit(**changes)
        assert (answer.status, answer.body["status"]) == (201, "pending"), answer.body
        return str(answer.body["id"])

    def approved(self, **changes: Any) -> str:
        """The id of a request that waits to be taken up."""
        request_id = self.pending(**changes)
        assert self.decide(request_id).status == 200
        return request_id

    def active(self, **changes: Any) -> str:
        """The id of a request with a grant."""
        request_id = self.approved(**changes)
        assert self.take_up(request_id).status == 201
        return request_id

    def request(self, request_id: str) -> GrantRequest:
        """The stored request."""
        found = self.brokers.broker("expiry").store.find_request(request_id)
        assert found is not None
        return found

    def status(self, request_id: str) -> Status:
        """The stored status."""
        return self.request(request_id).status

    def trail(self, request_id: str) -> list[str]:
        """The types of the request's events."""
        events = self.brokers.broker("approvals").store.get_trail(f"request#{request_id}")
        return [event.type for event in events]

    def stored(self) -> list[dict[str, Any]]:
        """The requests and their events, in DynamoDB's JSON."""
        items = self.tables.scan(TableName=self.deployment.request_table)["Items"]
        return [dict(item) for item in items if item["pk"]["S"].startswith("request#")]

    def item(self, request_id: str) -> dict[str, Any]:
        """The request's own item, in DynamoDB's JSON."""
        key = {"pk": {"S": f"request#{request_id}"}, "sk": {"S": "request"}}
        return dict(self.tables.get_item(TableName=self.deployment.request_table, Key=key)["Item"])

    def alter(self, request_id: str, **attributes: Any) -> None:
        """Change a request past the broker, as whoever took over a function could."""
        self.put(self.deployment.request_table, self.item(request_id) | attributes)

    def lose(self, request_id: str) -> None:
        """Take the request's own item away, its trail staying."""
        key = {"pk": {"S": f"request#{request_id}"}, "sk": {"S": "request"}}
        self.tables.delete_item(TableName=self.deployment.request_table, Key=key)

    def put(self, table: str, item: dict[str, Any]) -> None:
        """Write an item past the broker, in DynamoDB's JSON."""
        self.tables.put_item(TableName=table, Item=item)

    def grants(self) -> list[dict[str, Any]]:
        """The key's grants, as KMS lists them."""
        return self.deployment.cloud.grants(self.key_arn)

    def expire(self, seconds: float = 3, *, pool: Pool = Inline) -> Report:
        """A scheduled run of `expiry` that has this long, by the scene's clock."""
        deadline = self.clock.now + timedelta(seconds=seconds)
        return run(
            self.brokers.broker("expiry"),
            lambda: (deadline - self.clock.now).total_seconds() + 10,
            pool=pool,
        )

    def due(self, *parts: Part, by: datetime | None = None) -> list[AgendaEntry]:
        """What is due on the agenda by now, or by a time: of all of it, unless parts of it are named."""
        until = int((by or self.clock.now).timestamp())
        agenda = self.brokers.broker("expiry").store.agenda
        return [entry for part in parts or Part for entry in agenda.read_due(part, until, most=1000).entries]

    def later(self, seconds: float) -> None:
        """Time passes, and a short run follows."""
        self.clock.sleep(seconds)
        self.expire(1)

    def measured(self, name: str) -> list[float]:
        """The values of a metric so far."""
        return [value for _, metric, value in self.brokers.metrics if metric == name]

    def faults(
        self, plan: Plan, *, when: Callable[[AwsCall], bool] = lambda _call: True
    ) -> AbstractContextManager[list[AwsCall]]:
        """Meanwhile the calls of AWS meet these faults; gives the calls as they are made."""
        return faults(self.cloud, plan, when=when)

    @contextmanager
    def meanwhile(self, operation: str, other: Callable[[], T], nth: int = 1) -> Iterator[list[T]]:
        """Just before the nth such call takes effect somebody else acts, undisturbed; gives the results."""
        results: list[T] = []
        act = before(lambda: results.append(other()))
        with self.faults({operation: [*[None] * (nth - 1), act, None]}):
            yield results


def time(moment: datetime) -> str:
    """A time as the API writes it."""
    return moment.isoformat().replace("+00:00", "Z")
