"""What `approvals` is told by its environment."""

from grant_broker.approval_settings import ApiSettings
from grant_broker.domain.key_policy import Roles
from grant_broker.settings import Count, Text


class ApprovalsSettings(ApiSettings):
    """What `approvals` is told."""

    requests_role: Text
    approvals_role: Text
    reconcile_role: Text
    end_rate: Count

    @property
    def roles(self) -> Roles:
        """The roles that work on keys."""
        return Roles(
            requests=self.requests_role,
            approvals=self.approvals_role,
            expiry=self.retiring_principal,
            reconcile=self.reconcile_role,
        )
