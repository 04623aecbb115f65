"""What `expiry` works with: the one function that can end grants."""

from dataclasses import dataclass
from typing import Self

from grant_broker.aws.clients import Clients, clients
from grant_broker.aws.grant_ender import GrantEnder
from grant_broker.aws.kms import KmsReader
from grant_broker.aws.request_store import RequestStore
from grant_broker.broker import Broker, Measure, kms_of, no_metric, store_of
from grant_broker.expiry.settings import ExpirySettings


@dataclass(frozen=True, kw_only=True)
class ExpiryBroker(Broker):
    """The collaborators of `expiry`. To the approval table it only says that a request was used."""

    settings: ExpirySettings
    ender: GrantEnder

    @classmethod
    def build(
        cls, settings: ExpirySettings, *, aws: Clients | None = None, measure: Measure = no_metric
    ) -> Self:
        """Make it of what the function is told, with clients of its own role."""
        aws = aws or clients()
        kms = kms_of(aws.kms, settings)
        return cls(
            settings=settings,
            store=store_of(RequestStore, aws, settings, approval_table=settings.approval_table),
            kms=KmsReader(kms),
            ender=GrantEnder(kms),
            measure=measure,
        )
