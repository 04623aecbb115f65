"""What the use cases work with. Each function's own, with the right that it alone holds, is in its folder."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from grant_broker.aws.clients import Clients
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.kms import KmsReader
from grant_broker.aws.kms_clients import KmsClients
from grant_broker.aws.request_store import RequestStore
from grant_broker.domain.records import Stamp
from grant_broker.settings import GrantSettings

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

S = TypeVar("S", bound=RequestStore)
Measure = Callable[[str, float], None]
"""Takes a metric's name and its value."""


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return uuid.uuid4().hex


def no_metric(_name: str, _value: float) -> None:
    """Drop a metric, where nobody measures."""


@dataclass(frozen=True, kw_only=True)
class Broker:
    """The collaborators that the functions share; none of them can change anything at KMS. `clock` is UTC."""

    settings: GrantSettings
    store: RequestStore
    kms: KmsReader
    clock: Callable[[], datetime] = field(default=_now)
    new_id: Callable[[], str] = field(default=_new_id)
    sleep: Callable[[float], None] = field(default=time.sleep)
    measure: Measure = field(default=no_metric)

    def stamp(self, by: str) -> Stamp:
        """Make the stamp of a change: now, by a caller or a function, with a new event's id."""
        return Stamp(self.clock(), by, self.new_id())


def kms_of(make: Callable[[str], "KMSClient"], settings: GrantSettings) -> KmsClients:
    """Make the KMS clients of a function's role: the home Region's now, each other one when it is needed."""
    return KmsClients(make, settings.aws_region, settings.key_regions)


def store_of(kind: type[S], aws: Clients, settings: GrantSettings, *, approval_table: str) -> S:
    """Make a store of both tables."""
    return kind(
        DynamoDb(aws.dynamodb()),
        request_table=settings.request_table,
        approval_table=approval_table,
        agenda_shards=settings.agenda_shards,
    )
