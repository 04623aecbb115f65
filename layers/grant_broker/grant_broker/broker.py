"""What the use cases work with, built in one place."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from grant_broker.aws.clients import dynamodb_client, kms_client
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.kms import Kms
from grant_broker.aws.store import Store
from grant_broker.domain.people import Caller
from grant_broker.settings import Settings


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return uuid.uuid4().hex


def _no_metric(_name: str, _value: float) -> None:
    """Where nobody measures."""


@dataclass(frozen=True)
class Broker:
    """The collaborators of every use case. `clock` gives UTC; `measure` takes a metric and its value."""

    settings: Settings
    store: Store
    kms: Kms
    clock: Callable[[], datetime] = field(default=_now)
    new_id: Callable[[], str] = field(default=_new_id)
    sleep: Callable[[float], None] = field(default=time.sleep)
    measure: Callable[[str, float], None] = field(default=_no_metric)

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], *, measure: Callable[[str, float], None] = _no_metric
    ) -> Self:
        """The broker of a Lambda function: settings from its environment, clients from its role."""
        settings = Settings.from_environment(environment)
        tables = {"request_table": settings.request_table, "approval_table": settings.approval_table}
        store = Store(DynamoDb(dynamodb_client()), **tables)
        return cls(settings=settings, store=store, kms=Kms(kms_client()), measure=measure)

    def person(self, caller: Caller) -> str:
        """The person behind a caller."""
        return caller.person(self.settings.identity_center_role_ids)
