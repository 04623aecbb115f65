"""A live grant as KMS shows it, and whether an approval covered it."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from grant_broker.domain.approvals import Approval, Asked, Coverage, Quorum
from grant_broker.domain.grant_name import NAME_PREFIX, parse_grant_name
from grant_broker.domain.parties import Requester
from grant_broker.domain.request import ISSUE_WITHIN, GrantRequest
from grant_broker.domain.scope import Scope
from grant_broker.domain.times import from_epoch

DEFAULT_LONGEST = 8 * 3600
"""How long a grant may live, in seconds, on a key that nobody registered."""
SKEW = timedelta(seconds=10)
"""By how much KMS's clock and the broker's may differ."""


@dataclass(frozen=True)
class LiveGrant:
    """A grant that KMS shows. `scope` is None where the broker issues none such, `account` where the
    grantee principal no longer exists (ListGrants then shows its unique id)."""

    grant_id: str
    key_arn: str
    name: str
    grantee: str
    account: str | None
    scope: Scope | None
    created_at: datetime

    @property
    def request_id(self) -> str | None:
        """The request in its name, None where the name is malformed."""
        parsed = parse_grant_name(self.name)
        return parsed[0] if parsed else None

    @property
    def expiry(self) -> datetime | None:
        """The expiry in its name, None where the name is malformed."""
        parsed = parse_grant_name(self.name)
        return from_epoch(parsed[1]) if parsed else None

    @property
    def foreign(self) -> bool:
        """Whether somebody else made it: not named as the broker names its grants, so never touched."""
        return not self.name.startswith(NAME_PREFIX)

    @property
    def derived_id(self) -> str:
        """The id of the record by which it ends when its name leads to no record of its own."""
        return hashlib.sha256(self.grant_id.encode()).hexdigest()[:32]

    def end(self, longest: int) -> datetime:
        """When it must end: its name's expiry, but no later than creation plus `longest` seconds."""
        limit = self.created_at + timedelta(seconds=longest)
        return min(limit, self.expiry) if self.expiry else limit


def fault_in(grant: LiveGrant, *, coverage: Coverage, longest: int) -> str | None:
    """Why a well-named grant may not live, or None. `longest` is the key's max_duration in seconds."""
    if grant.scope is None:
        return "its operations or its constraint are none that the broker grants"
    if grant.account is None:
        return "its grantee principal no longer exists"
    limit = grant.created_at + timedelta(seconds=longest) + SKEW
    if grant.expiry and grant.expiry > limit:
        return "it would outlast the key's max_duration"
    return None if coverage.covered else f"no approval covers it: {coverage.reason}"


def covering(
    grant: LiveGrant, record: GrantRequest | None, approvals: Collection[Approval], *, quorum: Quorum
) -> Coverage:
    """Whether one of the approvals covered the grant that KMS shows, whatever the record claims of it."""
    reason = "there is none"
    for approval in approvals:
        as_of = _as_of(approval, grant.created_at)
        for moment in _moments(grant, record):
            found = as_of.covers(_asked(grant, record, approval, moment), quorum=quorum)
            if found.covered:
                return found
            reason = found.reason
    return Coverage(covered=False, reason=reason)


def _as_of(approval: Approval, created_at: datetime) -> Approval:
    # Live grants run on when their approval is withdrawn, unless it was withdrawn to end them.
    later = approval.withdrawn_at and approval.withdrawn_at > created_at - ISSUE_WITHIN - SKEW
    return approval.as_if_not_withdrawn() if later and not approval.revoke_active else approval


def _moments(grant: LiveGrant, record: GrantRequest | None) -> list[datetime]:
    # A standing approval's window is about the submission or `starts_at`; without a record the grant's
    # creation is all there is.
    known = (record.created_at, record.starts_at, record.intent_at) if record else ()
    return [grant.created_at, *(moment for moment in known if moment)]


def _asked(grant: LiveGrant, record: GrantRequest | None, approval: Approval, at: datetime) -> Asked:
    lives = (grant.expiry or grant.created_at) - grant.created_at - SKEW
    # What was submitted is lost with the record; an adopted one (`kms_name`) does not know it either. The
    # approval itself holds key, account, grantee, scope and duration.
    known = record.digest if record and not record.kms_name else approval.digest
    return Asked(
        key_arn=grant.key_arn,
        account=grant.account or "",
        grantee=grant.grantee,
        scope=grant.scope or approval.scope,
        duration=max(1, int(lives.total_seconds())),
        at=at,
        requester=record.requester if record else Requester("", ""),
        digest=known,
    )
