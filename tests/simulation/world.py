"""The broker on strict KMS and a fast DynamoDB: one clock, two processes of each function."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

from grant_broker.approvals import mass_revocations
from grant_broker.domain.agenda import Part
from grant_broker.expiry import run as expiry
from grant_broker.reconcile.run import reconcile
from tests.local_aws.answers import AwsError, Response
from tests.local_aws.cloud import ELSEWHERE, AwsCall, Cloud, Credentials
from tests.local_stack.brokers import Answer
from tests.local_stack.deployment import Deployment
from tests.local_stack.people import HOME, role_arn, unique_id
from tests.simulation import oracle
from tests.simulation.database import Database, Index, Key
from tests.simulation.expressions import Item
from tests.simulation.hooks import Hooks
from tests.simulation.injection import Answered, Died, Fault, Injector
from tests.simulation.intruders import Intruders
from tests.simulation.keys import Keys, path_of
from tests.simulation.ledger import Ledger
from tests.simulation.processes import Bus, Processes
from tests.simulation.specials import specials
from tests.simulation.streams import Streams
from tests.support.inline import Inline
from tests.support.limits import WHOLE

START = datetime(2030, 1, 1, tzinfo=UTC)
PARTNER, OTHER = "444455556666", "666677778888"
SETTINGS = {"SmallestDuration": 300, "AnswerWithin": 3600, "TakeUpWithin": 1800, "EndRate": oracle.RATE}
_PAGE = 3  # items that a Query gives at a time, as if they were large: DynamoDB cuts a page at 1 MB
_LISTED = 2  # grants that KMS lists at a time: it may give fewer than the Limit
FUNCTIONS = ("requests", "approvals", "expiry", "reconcile", "events")
_INF = float("inf")
_FAR = START.timestamp() + 10**8
_OUTAGE = 4.0  # seconds between attempts at least
_KEEP = 8  # earlier states to read stale or restore from


class World:
    """Made once, reset for each example."""

    def __init__(self) -> None:
        self.now = START
        self.injector = Injector()
        self.cloud = Cloud(lambda: self.now, verify_signatures=False)
        self.deployment = Deployment.create(self.cloud, parameters=SETTINGS)
        self.people = {name: person.credentials for name, person in self.deployment.people.items()}
        self.keys, self.grantees = self._keys(), self._roles()
        self.database = Database(_indexes(self.deployment), lambda: self.now, page=_PAGE)
        self.ledger, self.bus = Ledger(self), Bus(self.injector)
        self.hooks = Hooks(self.injector, self.deployment.functions["requests"].role)
        self.processes, self.others = Processes(self), Processes(self)
        self.streams = Streams(self)
        self.cloud.intercept = self._kms_call
        self.database.watch = self.ledger.written
        self.injector.special = dict(specials(self))
        self._registered: tuple[dict[str, dict[Key, Item]], list[dict[str, Any]]] | None = None
        self.intruders = Intruders(self)
        self._remember_identities()

    # ------------------------------------------------------------ making and resetting
    def _keys(self) -> Keys:
        policy = self.deployment.template.properties("PartnerDataKey")["KeyPolicy"]
        arns = {
            "partner_data": self.deployment.keys["partner_data"],
            "second_data": self.cloud.create_key(policy, region=ELSEWHERE),
        }
        return Keys(self.cloud, arns, policy)

    def _roles(self) -> list[str]:
        found = [self.deployment.people[name].grantee or "" for name in ("partner", "other_partner")]
        for account, name in ((PARTNER, "app-1"), (PARTNER, "app-2"), (OTHER, "app-3"), (HOME, "app-4")):
            found.append(self.cloud.create_role(name, [], account=account))
        # Some of the security team could hold what is granted to these.
        return [*found, *(self.deployment.people[name].grantee or "" for name in ("duty", "alice"))]

    def _remember_identities(self) -> None:
        # Everybody's credentials are made before they are remembered: a reset takes away what came later.
        for function in FUNCTIONS[:-1]:
            self.processes.broker(function)
            self.others.broker(function)
        self._restore_people = self.cloud.directory.remember()

    def reset(self) -> None:
        """As deployed, with both keys registered and nothing asked for."""
        self.now, self._ids, self._until = START, itertools.count(1), 0.0
        self.skew = dict.fromkeys(FUNCTIONS, timedelta())
        self.zombies: list[tuple[datetime, Callable[[], Any]]] = []
        self.history: list[dict[str, dict[Key, Item]]] = []
        self.listed: list[tuple[datetime, list[dict[str, Any]]]] = []
        self.metrics: list[tuple[datetime, str, str, float]] = []
        self._restore_people()
        self.spread(0)
        if self.ledger.remade:
            self.keys.shut()
        self.keys.mend()
        self.keys.end_grants()
        self.intruders.forget()
        for part in (self.database, self.ledger, self.bus, self.streams, self.hooks):
            part.forget()
        self.let_go_on(unchecked=False)
        if self._registered is None:
            for name, arn in self.keys.arns.items():
                self.call("alice", "PUT", path_of(arn), self.document(name))
            self._registered = self._tables(), list(self.database.stream)
        self._ids = itertools.count(1000)
        for name, items in self._registered[0].items():
            self.database.tables[name].replace(items)
        self.database.stream[:] = self._registered[1]
        self._plant()
        self.remember()

    def _plant(self) -> None:
        # Grants of others on the same key for the same grantee: the broker must never touch them. One names
        # its role, and is spared since it was there before the key was registered.
        retiring = self.processes.broker("expiry").settings.retiring_principal
        self.now = START - timedelta(days=1)
        for name, more in (("another-team", {}), ("another-broker", {"RetiringPrincipal": retiring})):
            given = {"GranteePrincipal": self.grantees[0], "Name": name, **more}
            self.ledger.foreign.add(self.keys.plant("second_data", **given))
        self.now = START

    def _tables(self) -> dict[str, dict[Key, Item]]:
        return {name: dict(table.items) for name, table in self.database.tables.items()}

    def document(self, name: str, **limits: Any) -> dict[str, Any]:
        """A key's limits as they are sent: open to both partners and the home account.

        `approvers` are given by their roles' names, `requesters` and `break_glass` by people's.
        """
        if "approvers" in limits:
            limits["approvers"] = [
                unique_id(self.cloud, role_arn(HOME, each)) for each in limits["approvers"]
            ]
        if "break_glass" in limits:
            principals = [self.deployment.people[each].grantee for each in limits["break_glass"]]
            limits["break_glass"] = {"principals": principals, "max_duration": "PT10M", "per_day": 2}
        if "requesters" in limits:
            limits["requesters"] = [self.deployment.people[each].grantee for each in limits["requesters"]]
        return {**WHOLE, "name": name, "accounts": [PARTNER, OTHER, HOME], "max_duration": "PT1H", **limits}

    def roles_of(self, ids: Sequence[str] | None) -> set[tuple[str, str]] | None:
        """Account and name of the roles that have these unique ids; None for no list of them."""
        found = self.cloud.directory.principals.items()
        return None if ids is None else {oracle.role_of(arn) for arn, who in found if who.unique_id in ids}

    def new_id(self) -> str:
        """Ids in the order of asking: a run repeats exactly."""
        return f"{next(self._ids):032x}"

    def measured(self, function: str, name: str, value: float) -> None:
        """A metric, with its time."""
        self.metrics.append((self.now, function, name, value))

    def spread(self, seconds: float) -> None:
        """From now on KMS knows of grants, and of their ends, so much later."""
        self.cloud.spread(timedelta(seconds=seconds))

    def let_go_on(self, *, unchecked: bool) -> None:
        """Set whether requests go on whose tickets cannot be checked."""
        self.hooks.unchecked_stand = unchecked
        for processes in (self.processes, self.others):
            processes.let_go_on(unchecked=unchecked)

    def remember(self) -> None:
        """Keep the present state of the tables, to read stale and to restore from."""
        self.history.append(self._tables())
        self.listed.append((self.now, self.ledger.live()))
        del self.history[:-_KEEP], self.listed[:-_KEEP]

    # ------------------------------------------------------------ time
    def advance(self, seconds: float) -> None:
        """Let time pass; what KMS does late it does on the way."""
        until = self.now + timedelta(seconds=seconds)
        for at, effect in sorted(self.zombies, key=lambda zombie: zombie[0]):
            if at <= until:
                self.zombies = [zombie for zombie in self.zombies if zombie[1] is not effect]
                self.now = max(self.now, at)
                effect()
        self.now = until

    def sleep(self, function: str, seconds: float) -> None:
        """A function sleeps; expiry until shortly before the next thing is due: empty looks cost time.

        So do those at a service that is out for the whole run.
        """
        if function == "expiry" and self.injector.outage:
            seconds = max(seconds, _OUTAGE)
        if function == "expiry" and seconds >= 1:
            clock = self.now + self.skew[function]
            # What is due already waits for its turn, a second at a time.
            coming = min(self.dues(), default=float("inf"))
            left = self._until - self.now.timestamp() if self._until else seconds
            seconds = max(seconds, min(coming - clock.timestamp() - 1, left))
        pause = AwsCall("clock", "Sleep", {}, function)
        self.injector.call(pause, lambda: self.advance(seconds))

    def dues(self) -> list[int]:
        """Every due second on the agenda, but for those that somebody has put off for years."""
        table = self.database.tables[self.deployment.request_table]
        parts = (f"{part}#0" for part in Part)
        dues = [int(item["due"]["N"]) for part in parts for _, item in table.part("agenda", part)]
        return [due for due in dues if due < _FAR]

    # ------------------------------------------------------------ calls and runs
    def call(
        self, who: str, method: str, path: str, body: Any = None, *, plan: Sequence[Fault] = (),
        others: bool = False, **more: Any,
    ) -> Answer | None:  # fmt: skip
        """One API call with these faults; None where the process died."""
        processes = self.others if others else self.processes
        self.ledger.asked(who, method, path, body)
        attempted, self.ledger.attempted = self.ledger.attempted, set()
        with self.injector.under(plan):
            try:
                answer = processes.call(self.people[who], method, path, body, **more)
            except Died:
                return None
            finally:
                self.ledger.attempted = attempted
        self.ledger.answered(who, method, path, answer)
        return answer

    def run_expiry(
        self, seconds: float = 130, *, plan: Sequence[Fault] = (), others: bool = False, calls: float = _INF
    ) -> bool:
        """The scheduled runs until `seconds` from now, a minute apart; False where one failed or died.

        One is at work until then, or goes home where nothing falls due. `calls`: after so many of AWS the
        time of the first is over all at once, and there is no other.
        """
        broker = (self.others if others else self.processes).broker("expiry")
        until = self.now.timestamp() + seconds
        before, self._until = self._until, until
        with self.injector.under(plan):
            try:
                left = self._while(calls, lambda: 10 + until - self.now.timestamp())
                while (began := self.now.timestamp()) < until:
                    expiry.run(broker, left, pool=Inline)
                    if calls < _INF:
                        break
                    now = self.now.timestamp()
                    self.advance(max(0.0, min(began + 60, until) - now))
            except (Died, Exception) as error:  # noqa: BLE001 - Lambda takes any error: the next run repeats
                self.ledger.failed("expiry", error)
                return False
            finally:
                self._until = before
        return True

    def _while(self, calls: float, left: Callable[[], float]) -> Callable[[], float]:
        last = self.injector.total + calls
        return lambda: left() if self.injector.total < last else 0.0

    def run_reconcile(self, *, plan: Sequence[Fault] = (), others: bool = False, calls: float = _INF) -> bool:
        """One scheduled run; False where it failed or died."""
        broker = (self.others if others else self.processes).broker("reconcile")
        with self.injector.under(plan):
            try:
                reconcile(broker, self._while(calls, lambda: 240.0))
            except (Died, Exception) as error:  # noqa: BLE001 - as above
                self.ledger.failed("reconcile", error)
                return False
        return True

    def run_revocations(self, *, plan: Sequence[Fault] = (), others: bool = False) -> bool:
        """The minute's run of `approvals`; False where it failed or died."""
        broker = (self.others if others else self.processes).broker("approvals")
        with self.injector.under(plan):
            try:
                mass_revocations.run(broker, timedelta(seconds=15))
            except (Died, Exception) as error:  # noqa: BLE001 - as above
                self.ledger.failed("approvals", error)
                return False
        return True

    def revocations(self) -> list[str]:
        """The ids of all mass revocations."""
        table = self.database.tables[self.deployment.approval_table].items
        return [key[0].removeprefix("revocation#") for key in sorted(table) if key[1] == "revocation"]

    def requests(self, *statuses: str) -> list[str]:
        """The ids of all stored requests, oldest first; those of some statuses where any are given."""
        table = self.database.tables[self.deployment.request_table].items
        return sorted(
            name.removeprefix("request#") for (name, sort), item in table.items()
            if sort == "request" and (not statuses or item["status"]["S"] in statuses)
        )  # fmt: skip

    def approvals(self) -> list[str]:
        """The ids of all standing approvals."""
        table = self.database.tables[self.deployment.approval_table].items
        return [key[0].removeprefix("approval#") for key in sorted(table) if key[0].startswith("approval#")]

    def deliver(self) -> None:
        """The stream to both functions."""
        for function in self.streams.sources:
            self.streams.deliver(function)

    # ------------------------------------------------------------ what the injector needs
    def kms_answer(
        self, caller: Credentials, region: str, operation: str, parameters: dict[str, Any]
    ) -> Response:
        """The answer of a Region's KMS to a call."""
        paged = {"Limit": min(parameters["Limit"], _LISTED)} if "Limit" in parameters else {}
        call = AwsCall("kms", operation, {**parameters, **paged}, caller.arn, region)
        return self._kms_call(call, partial(self._by_kms, caller, call)) or self._by_kms(caller, call)

    def _by_kms(self, caller: Credentials, call: AwsCall) -> Response:
        try:
            answer: Any = self.cloud.kms_in[call.region].handle(caller, call.operation, call.parameters)
        except AwsError as error:
            return error.response()
        return cast("Response", answer)

    def _kms_call(self, call: AwsCall, run: Callable[[], Response]) -> Response | None:
        if call.service != "kms" or self.deployment.function_of(call.principal) is None:
            return None
        self.ledger.sent(call)

        def effect() -> Response:
            return self.ledger.effect(call, run)

        try:
            answer: Response = self.injector.call(call, effect)
        except Answered as answered:
            return AwsError(answered.code, "injected", answered.status).response()
        return answer

    # ------------------------------------------------------------ what breaks outside of calls
    def delete_role(self, arn: str) -> bool:
        """Delete a grantee's role; False where it is gone already."""
        if arn not in self.cloud.directory.principals:
            return False
        self.cloud.delete_role(arn)
        self.ledger.gone.add(arn)
        return True

    def recreate_role(self, arn: str) -> None:
        """Delete a grantee's role and make one of the same ARN, which is another principal."""
        self.delete_role(arn)
        self.cloud.create_role(arn.rpartition("/")[2], [], account=arn.split(":")[4])

    def recreate_expiry(self) -> None:
        """Delete `expiry`'s role and make it anew: the keys' policies and live grants name the old one."""
        role = self.deployment.functions["expiry"].role
        policies = self.cloud.directory.principals[role].policies
        self.cloud.create_role(role.rpartition("/")[2], policies)
        self.keys.shut()
        self.ledger.remade = True

    def known(self, who: str) -> bool:
        """Whether the caller's keys still work."""
        return self.people[who].access_key_id in self.cloud.directory.credentials

    def note(self, kind: str, times: float) -> None:
        """Count faults that no single call suffers."""
        if times:
            self.injector.counts[kind] += int(times)

    def restore(self, earlier: int | None, *, both: bool = False) -> None:
        """The request table, or both, as some steps before; empty where no number is given."""
        names = (self.deployment.request_table, self.deployment.approval_table)[: 1 + both]
        for name in names:
            items = {} if earlier is None else self.history[earlier % len(self.history)][name]
            self.database.tables[name].replace(items)
        self.ledger.disturbed = True


def _indexes(deployment: Deployment) -> dict[str, dict[str, Index]]:
    template = deployment.template
    found = {}
    for name in template.named("AWS::DynamoDB::Table"):
        given = template.properties(name)
        found[str(template.reference(name, None))] = {
            index["IndexName"]: _index(index) for index in given["GlobalSecondaryIndexes"]
        }
    return found


def _index(given: Mapping[str, Any]) -> Index:
    partition, sort = sorted(given["KeySchema"], key=lambda key: key["KeyType"])
    projection = given["Projection"]
    every = projection["ProjectionType"] == "ALL"
    shown = None if every else frozenset(projection.get("NonKeyAttributes", ()))
    return Index(partition["AttributeName"], sort["AttributeName"], shown)
