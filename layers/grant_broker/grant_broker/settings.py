"""What each function is told by its environment; `template.yaml` sets every variable, and has its default."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from grant_broker.domain.approvers import Approvers
from grant_broker.domain.errors import Fault
from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.key_policy import Roles
from grant_broker.domain.ownership import AllowedGrants, Owner
from grant_broker.domain.people import holder
from grant_broker.domain.recertification import Rhythm
from grant_broker.domain.votes import Quorum


def _split(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


Listed = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""Texts separated by commas; an empty one holds none."""
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Wait = Annotated[int, Field(ge=60)]
"""Seconds that people are given: no minute is too short by mistake."""


_DAY = 86_400


class Settings(BaseModel):
    """What every function is told. Nothing has a default: a function that is not told all does not start."""

    # Errors show the variable by its name and not what is in it, nor what else is in the environment. Of the
    # nine kinds a function reads one, and builds no other.
    model_config = ConfigDict(
        frozen=True,
        defer_build=True,
        alias_generator=str.upper,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )

    request_table: Text
    home_account: Text

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; ValidationError, which names the variable, where one is missing or malformed."""
        return cls.model_validate(dict(environment))


class GrantSettings(Settings):
    """What a function is told that reads grants. `agenda_shards` is in how many partitions each part lies."""

    retiring_principal: Text
    agenda_shards: Count


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
    aws_region: Text
    smallest_duration: Count
    take_up_within: Wait
    review_every_days: Annotated[int, Field(ge=0)]
    review_grace_days: Annotated[int, Field(ge=0)]

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


class RequestsSettings(ApiSettings):
    """What `requests` is told."""

    requests_role: Text
    ticket_hook_failure: Literal["closed", "open"]
    """Whether a ticket that cannot be checked keeps a request from going on."""
    answer_within: Wait
    submissions_per_minute: Count
    stored_bytes_per_hour: Count
    open_per_account: Count
    open_per_grantee: Count
    pending_per_account: Count
    end_rate: Count


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


class ExpirySettings(GrantSettings):
    """What `expiry` is told. `end_rate` is how many grants it may end a second."""

    approval_table: Text
    end_rate: Count
    smallest_duration: Count


class ReconcileSettings(ApprovalSettings):
    """What `reconcile` is told. `take_up_within`: seconds for which votes of an earlier release cover."""

    take_up_within: Wait
    end_rate: Count

    allowed_grants: AllowedGrants

    @property
    def owner(self) -> Owner:
        """What makes a grant the broker's."""
        return Owner(self.home_account, self.retiring_principal, self.allowed_grants)


class EventsSettings(Settings):
    """What `events` is told. Mails are gathered in the queue and sent to the topic.

    Of the approval table it may read what is said of accounts, and nothing else.
    """

    approval_table: Text
    mail_queue: Text
    mail_topic: Text
