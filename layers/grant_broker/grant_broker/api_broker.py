"""What the use cases of those functions work with that answer callers."""

from dataclasses import dataclass

from grant_broker.approval_settings import ApiSettings
from grant_broker.aws.store import Store
from grant_broker.broker import Broker
from grant_broker.domain.people import Caller


@dataclass(frozen=True, kw_only=True)
class ApiBroker(Broker):
    """The collaborators of a function that answers callers."""

    settings: ApiSettings
    store: Store

    def person(self, caller: Caller) -> str:
        """Tell the person behind a caller."""
        return caller.person(self.settings.identity_center_role_ids)
