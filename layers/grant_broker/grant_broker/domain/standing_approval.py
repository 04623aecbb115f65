"""A standing approval as the security team sends it."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from grant_broker.domain.arns import account_of
from grant_broker.domain.key_document import KeyReference
from grant_broker.domain.people import Grantee
from grant_broker.domain.scope import AskedContext, ContextMatch, Operations
from grant_broker.domain.texts import AccountId, Reason
from grant_broker.domain.times import Duration, Time
from grant_broker.domain.windows import AskedWindows

LONGEST_VALIDITY = timedelta(days=366)


class StandingApproval(BaseModel):
    """A standing approval as sent. `grantee` None: any grantee of the account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: KeyReference
    account: AccountId
    grantee: Grantee | None = None
    operations: Operations
    encryption_context: AskedContext
    context_match: ContextMatch = ContextMatch.EQUALS
    max_duration: Duration
    valid_from: Time | None = None
    valid_until: Time
    windows: AskedWindows | None = None
    reason: Reason

    @field_validator("grantee")
    @classmethod
    def _grantee_of_account(cls, grantee: str | None, info: ValidationInfo) -> str | None:
        if grantee and account_of(grantee) != info.data.get("account", account_of(grantee)):
            raise ValueError("the grantee is not of the account")
        return grantee
