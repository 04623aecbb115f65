"""Whether an approval covered a live grant, and why one may not live."""

from collections.abc import Collection
from datetime import datetime, timedelta

from grant_broker.domain.approvals import Approval, Asked, Coverage, Quorum
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.parties import Requester
from grant_broker.domain.request import ISSUE_WITHIN, GrantRequest

DEFAULT_LONGEST = 8 * 3600
"""How long a grant may live, in seconds, on a key that nobody registered."""
SKEW = timedelta(seconds=10)
"""By how much KMS's clock and the broker's may differ."""


def fault_in(grant: ListedGrant, *, coverage: Coverage, longest: int) -> str | None:
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
    grant: ListedGrant, record: GrantRequest | None, approvals: Collection[Approval], *, quorum: Quorum
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


def _moments(grant: ListedGrant, record: GrantRequest | None) -> list[datetime]:
    # A standing approval's window is about the submission or `starts_at`; without a record the grant's
    # creation is all there is.
    known = (record.created_at, record.starts_at, record.intent_at) if record else ()
    return [grant.created_at, *(moment for moment in known if moment)]


def _asked(grant: ListedGrant, record: GrantRequest | None, approval: Approval, at: datetime) -> Asked:
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
