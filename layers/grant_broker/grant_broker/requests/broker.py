"""What `requests` works with: the one function that can create grants."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Self

from grant_broker.api_broker import ApiBroker
from grant_broker.aws.clients import Clients, clients
from grant_broker.aws.grant_issuer import GrantIssuer
from grant_broker.aws.kms import KmsReader
from grant_broker.aws.store import Store
from grant_broker.aws.ticket_hooks import TicketHooks
from grant_broker.broker import Measure, kms_of, no_metric, store_of
from grant_broker.domain.errors import KmsRefused
from grant_broker.domain.scope import Scope
from grant_broker.requests.readers import Readers
from grant_broker.requests.settings import RequestsSettings


@dataclass(frozen=True, kw_only=True)
class RequestsBroker(ApiBroker):
    """The collaborators of `requests`."""

    settings: RequestsSettings
    issuer: GrantIssuer
    ticket_hooks: TicketHooks
    readers: Callable[[], Executor] = field(default_factory=Readers)

    @classmethod
    def build(
        cls, settings: RequestsSettings, *, aws: Clients | None = None, measure: Measure = no_metric
    ) -> Self:
        """Make it of what the function is told, with clients of its own role."""
        aws = aws or clients()
        kms = kms_of(aws.kms, settings)
        return cls(
            settings=settings,
            store=store_of(Store, aws, settings, approval_table=settings.approval_table),
            kms=KmsReader(kms),
            issuer=GrantIssuer(kms),
            ticket_hooks=TicketHooks(aws.ticket_hooks),
            measure=measure,
        )

    def try_grant(self, key_arn: str, grantee: str, scope: Scope) -> str | None:
        """Ask KMS about a grant without creating it: its code where it would refuse; KmsUncertain."""
        try:
            self.issuer.try_create_grant(
                key_arn=key_arn,
                grantee=grantee,
                retiring_principal=self.settings.retiring_principal,
                scope=scope,
            )
        except KmsRefused as error:
            return error.code
        return None
