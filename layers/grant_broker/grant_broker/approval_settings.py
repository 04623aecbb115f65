"""What those functions are told that judge approvals, and those that answer the API."""

from typing import Annotated

from pydantic import Field

from grant_broker.domain.approvers import Approvers
from grant_broker.domain.errors import Fault
from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.people import holder
from grant_broker.domain.recertification import Rhythm
from grant_broker.domain.votes import Quorum
from grant_broker.settings import Count, GrantSettings, Listed, Text, Wait

_DAY = 86_400  # seconds


class ApprovalSettings(GrantSettings):
    """What a function is told that judges approvals: who may vote, by the unique ids of their roles."""

    approval_table: Text
    approver_role_ids: Listed
    identity_center_role_ids: Listed

    @property
    def team(self) -> Approvers:
        """The security team: whoever may call the API's half of it."""
        return Approvers.of(self.approver_role_ids, self.identity_center_role_ids)

    def quorum(self, limits: KeyDocument) -> Quorum:
        """So many persons among a key's approvers must agree.

        A role of its list that has left the stack's casts no new votes; those it cast stay.
        """
        if limits.approvers is None:
            return Quorum(limits.quorum, mixed=self.team.mixed)
        listed = Approvers.of(limits.approvers, self.identity_center_role_ids)
        return Quorum(limits.quorum, mixed=listed.mixed, role_ids=listed.role_ids)

    def writers(self, limits: KeyDocument) -> Approvers:
        """Who decides on a key's document: its approvers.

        Where too few of them are left on the stack's list to reach its quorum it is the stack's list, or
        nobody could ever change the key again: the unique id of a deleted role never comes back.
        """
        left = self.team.within(limits.approvers)
        return left if left.most_votes >= limits.quorum else self.team


class ApiSettings(ApprovalSettings):
    """What a function is told that answers the API. Durations are in seconds."""

    stack_roles: Annotated[Listed, Field(min_length=1)]
    trusted_accounts: Listed
    ticket_hooks: Listed
    """The functions that a key's `ticket_hook` may name."""
    grantable_operations: Annotated[Listed, Field(min_length=1)]
    smallest_duration: Count
    take_up_within: Wait
    review_every_days: Annotated[int, Field(ge=0)]
    review_grace_days: Annotated[int, Field(ge=0)]
    usage_evidence: bool
    """Whether the use of grants is looked for at all: where it is not, nothing is said of it."""

    @property
    def review_rhythm(self) -> Rhythm:
        """How often standing approvals and accounts owe a look."""
        return Rhythm(self.review_every_days * _DAY, self.review_grace)

    @property
    def review_grace(self) -> int:
        """For how many seconds a look may be late, a key's too."""
        return self.review_grace_days * _DAY

    def is_own_role(self, principal: str) -> bool:
        """Whether a principal is one of the stack's roles, or a session of one."""
        return holder(principal) in {holder(role) for role in self.stack_roles}

    def grantee_faults(self, grantee: str | None) -> list[Fault]:
        """Why the stack grants nothing to this grantee; empty where it may, or where anybody may be meant."""
        if grantee is None or not self.is_own_role(grantee):
            return []
        return [Fault("grantee", "name another principal: the broker's own roles are granted nothing")]
