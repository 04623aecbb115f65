"""What `reconcile` is told by its environment."""

from grant_broker.approval_settings import ApprovalSettings
from grant_broker.domain.ownership import AllowedGrants, Owner
from grant_broker.settings import Count, Wait


class ReconcileSettings(ApprovalSettings):
    """What `reconcile` is told. `take_up_within`: seconds for which votes of an earlier release cover."""

    take_up_within: Wait
    end_rate: Count

    allowed_grants: AllowedGrants
    archive_bucket: str
    """The archive's bucket; empty where the stack has none."""
    archive_after_days: Count

    @property
    def owner(self) -> Owner:
        """What makes a grant the broker's."""
        return Owner(self.home_account, self.retiring_principal, self.allowed_grants)
