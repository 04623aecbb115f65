"""What `approvals` works with: it reads KMS and changes nothing there."""

from dataclasses import dataclass
from typing import Self

from grant_broker.api_broker import ApiBroker
from grant_broker.approvals.settings import ApprovalsSettings
from grant_broker.aws.clients import Clients, clients
from grant_broker.aws.kms import KmsReader
from grant_broker.aws.revocations import Revocations
from grant_broker.aws.store import Store
from grant_broker.broker import Measure, kms_of, no_metric, store_of


@dataclass(frozen=True, kw_only=True)
class ApprovalsBroker(ApiBroker):
    """The collaborators of `approvals`."""

    settings: ApprovalsSettings

    @classmethod
    def build(
        cls, settings: ApprovalsSettings, *, aws: Clients | None = None, measure: Measure = no_metric
    ) -> Self:
        """Make it of what the function is told, with clients of its own role."""
        aws = aws or clients()
        return cls(
            settings=settings,
            store=store_of(Store, aws, settings, approval_table=settings.approval_table),
            kms=KmsReader(kms_of(aws.reading_kms, settings)),
            measure=measure,
        )

    @property
    def revocations(self) -> Revocations:
        """The mass revocations, which no other function reads."""
        return Revocations(self.store.tables)
