"""What `reconcile` works with: it reads KMS and both tables, and can end nothing."""

from dataclasses import dataclass
from typing import Self

from grant_broker.aws.archive import Archive
from grant_broker.aws.clients import Clients, clients
from grant_broker.aws.kms import KmsReader
from grant_broker.aws.store import Store
from grant_broker.broker import Broker, Measure, kms_of, no_metric, store_of
from grant_broker.reconcile.settings import ReconcileSettings


@dataclass(frozen=True, kw_only=True)
class ReconcileBroker(Broker):
    """The collaborators of `reconcile`."""

    settings: ReconcileSettings
    store: Store
    archive: Archive | None = None
    """Where closed requests are moved to; None where the stack has no archive."""

    @classmethod
    def build(
        cls, settings: ReconcileSettings, *, aws: Clients | None = None, measure: Measure = no_metric
    ) -> Self:
        """Make it of what the function is told, with clients of its own role."""
        aws = aws or clients()
        return cls(
            settings=settings,
            store=store_of(Store, aws, settings, approval_table=settings.approval_table),
            kms=KmsReader(kms_of(aws.reading_kms, settings)),
            archive=Archive(aws.s3(), settings.archive_bucket) if settings.archive_bucket else None,
            measure=measure,
        )
