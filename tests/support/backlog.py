"""Many grants that fall due, runs of `expiry` that end them on one clock, and a KMS with quotas."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any, cast

from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.grant_ender import GrantEnder
from grant_broker.aws.items import item_of
from grant_broker.aws.kms import KmsReader
from grant_broker.aws.kms_clients import KmsClients
from grant_broker.aws.store import Store
from grant_broker.domain.arns import region_of
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.times import from_epoch
from grant_broker.expiry.broker import ExpiryBroker
from grant_broker.expiry.run import Report, run
from grant_broker.expiry.settings import ExpirySettings
from tests.infrastructure.stack import template
from tests.simulation.client import DirectDynamoDb
from tests.simulation.database import Database, Index
from tests.simulation.injection import Injector
from tests.support.inline import Inline
from tests.support.quota_kms import QuotaKms
from tests.support.records import EXPIRY_ROLE, KEY, request
from tests.support.turns import Turns

START = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
HOME, ELSEWHERE = "eu-central-1", "eu-west-1"
SECOND = int(START.timestamp())


@cache
def _agenda() -> Index:
    """The agenda's index as the template has it: a run sees no more than that."""
    [given] = [
        index
        for index in template().properties("RequestTable")["GlobalSecondaryIndexes"]
        if index["IndexName"] == "agenda"
    ]
    return Index("agenda", "due", frozenset(given["Projection"]["NonKeyAttributes"]))


def _one_at_a_time(handle: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    lock = threading.Lock()

    def locked(*given: Any, **more: Any) -> dict[str, Any]:
        with lock:
            return handle(*given, **more)

    return locked


@dataclass
class Backlog:
    """A fast database, a KMS with quotas, and one clock for all runs."""

    rate: int = 40
    quota: int = 50
    smallest_duration: int = 300
    shards: int = 1
    clock: Turns = field(default_factory=lambda: Turns(START))
    injector: Injector = field(default_factory=Injector)
    metrics: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        tables = {"requests": {"agenda": _agenda()}, "approvals": dict[str, Index]()}
        self.database = Database(tables, self.clock)
        self.database.handle = _one_at_a_time(self.database.handle)  # type: ignore[method-assign]
        self.kms = QuotaKms(self.clock, self.quota)
        self.kms_in = {HOME: self.kms, ELSEWHERE: QuotaKms(self.clock, self.quota)}
        self._ids = (f"{number:032x}" for number in count(10**9))

    def broker(self, sleep: Callable[[float], None] | None = None) -> ExpiryBroker:
        """The broker of one process of `expiry`."""
        sleep = sleep or self.clock.sleep
        client = DirectDynamoDb(self.database, self.injector, "expiry", sleep)
        settings = ExpirySettings(
            request_table="requests", approval_table="approvals", home_account="111122223333",
            aws_region=HOME, key_regions=(ELSEWHERE,), retiring_principal=EXPIRY_ROLE,
            agenda_shards=self.shards, end_rate=self.rate, smallest_duration=self.smallest_duration,
        )  # fmt: skip
        clients = KmsClients(cast("Any", self.kms_in.__getitem__), HOME, [ELSEWHERE])
        database = DynamoDb(cast("Any", client), sleep=sleep)
        return ExpiryBroker(
            settings=settings,
            store=Store(
                database,
                request_table="requests",
                approval_table="approvals",
                agenda_shards=self.shards,
            ),
            kms=KmsReader(clients),
            ender=GrantEnder(clients),
            clock=self.clock,
            new_id=lambda: next(self._ids),
            sleep=sleep,
            measure=lambda name, value: self.metrics.append((name, value)),
        )

    def add(self, dues: Sequence[int], *, key_arn: str = KEY, first: int = 1, **changes: Any) -> list[str]:
        """Active requests with their grants, due so many seconds from the start; their ids."""
        return [self._add(first + n, due, key_arn, changes) for n, due in enumerate(dues)]

    def _add(self, number: int, due: int, key_arn: str, changes: dict[str, Any]) -> str:
        request_id, grant_id, end = f"{number:032x}", f"{number:064x}", from_epoch(SECOND + due)
        fields = {
            "id": request_id, "grant_id": grant_id, "key_arn": key_arn, "expires_at": end,
            "action": Action.END, "due": SECOND + due, "status": Status.ACTIVE, "version": 1,
        }  # fmt: skip
        record = request(**(fields | changes))
        self.put(item_of(record, agenda_shards=self.shards))
        self.kms_in[region_of(key_arn)].grants[grant_id] = {
            "GrantId": grant_id, "KeyId": key_arn, "Name": record.grant_name,
            "GranteePrincipal": record.grantee, "RetiringPrincipal": EXPIRY_ROLE, "Operations": ["Encrypt"],
            "CreationDate": START,
        }  # fmt: skip
        return request_id

    def put(self, item: dict[str, Any]) -> None:
        """Write an item of the request table past the broker."""
        self.database.handle("PutItem", {"TableName": "requests", "Item": item})

    def process(
        self, seconds: float = 130, sleep: Callable[[float], None] | None = None
    ) -> Callable[[], Report]:
        """One scheduled run that has this long from when it starts."""

        def work() -> Report:
            until = self.clock.now.timestamp() + seconds
            return run(self.broker(sleep), lambda: 10 + until - self.clock.now.timestamp(), pool=Inline)

        return work


def died_at(clock: Turns, second: float) -> Callable[[float], None]:
    """A `sleep` in which its process dies once so many seconds have passed."""

    def die(seconds: float) -> None:
        if (clock.now - START).total_seconds() + seconds >= second:
            raise DiedError
        clock.sleep(seconds)

    return die


class DiedError(BaseException):
    """The process is gone."""
