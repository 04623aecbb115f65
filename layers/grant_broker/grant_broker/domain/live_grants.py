"""Whether an approval covered a live grant, and why one may not live.

What decides is what whoever made the grant cannot write: what KMS shows, its creation time above all, and the
approval table. A request's record is in the other table, and says no more than what its votes were about.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from grant_broker.domain.approvals import Approval, ApprovalKind
from grant_broker.domain.coverage import Asked, Coverage
from grant_broker.domain.keys import Key
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.parties import Requester
from grant_broker.domain.request import ISSUE_WITHIN, GrantRequest
from grant_broker.domain.times import format_duration
from grant_broker.domain.votes import Quorum, Verdict

SKEW = timedelta(seconds=10)
"""By how much KMS's clock and the broker's may differ."""
_LEAST = timedelta(milliseconds=1)
_SECOND = timedelta(seconds=1)
_NOBODY = Requester("", "")


@dataclass(frozen=True)
class Recorded:
    """What a request's record says; `adopted`: reconcile made it, so that what was submitted is lost."""

    record: GrantRequest | None
    adopted: bool = False

    @property
    def requester(self) -> Requester:
        """Who asked, as far as it is known."""
        return self.record.requester if self.record else _NOBODY

    def digest(self, approval: Approval) -> str:
        """Of what was asked for. Where that is lost the approval itself says what it was about."""
        return self.record.digest if self.record and not self.adopted else approval.digest


@dataclass(frozen=True)
class Rules:
    """What an approval had to reach: persons, and seconds within which votes were to be made use of."""

    quorum: Quorum
    take_up_within: int


def when_intended(grant: ListedGrant) -> tuple[datetime, datetime]:
    """The earliest and the latest time at which the intent of a grant may have been stored, by KMS's word."""
    return grant.created_at - ISSUE_WITHIN - SKEW, grant.created_at + SKEW


def fault_in(grant: ListedGrant, *, coverage: Coverage, limits: Key) -> str | None:
    """Why a well-named grant may not live under limits that were in force when it was made, or None."""
    if grant.scope is None:
        return "its operations or its constraint are none that the broker grants"
    if grant.account is None:
        return "its grantee principal no longer exists"
    longest = limits.document.max_duration
    if grant.expiry and grant.expiry > grant.created_at + timedelta(seconds=longest) + SKEW:
        return f"it would outlast the key's max_duration, {format_duration(longest)}"
    if not limits.open_to(grant.account):
        return "the key was not open to its account"
    if faults := limits.faults(grant.scope, duration=1, account=grant.account):
        return f"it is outside of the key's limits: {faults[0].field}: {faults[0].message}"
    return None if coverage.covered else f"no approval covers it: {coverage.reason}"


def covering(
    grant: ListedGrant, recorded: Recorded, approvals: Collection[Approval], rules: Rules
) -> Coverage:
    """Whether one of the approvals covered the grant that KMS shows, whatever the record claims of it."""
    reason = "there is none"
    for approval in approvals:
        as_of = _within_its_time(_as_of(approval, grant), recorded.record, rules.take_up_within)
        found = as_of.covers(_asked(grant, recorded, approval, _moment(as_of, grant)), quorum=rules.quorum)
        if found.covered:
            return found
        reason = found.reason
    return Coverage(covered=False, reason=reason)


def _as_of(approval: Approval, grant: ListedGrant) -> Approval:
    # Live grants run on when their approval is withdrawn, unless it was withdrawn to end them.
    later = approval.withdrawn_at and approval.withdrawn_at > when_intended(grant)[0]
    return approval.as_if_not_withdrawn() if later and not approval.revoke_active else approval


def _within_its_time(approval: Approval, record: GrantRequest | None, take_up_within: int) -> Approval:
    """The approval with the time in which it covers; a standing one has its own.

    Votes cover from the last of them, or from the request's `starts_at`, until the take-up deadline. What an
    earlier release stored holds no deadline: it is as long after that as the present setting says. (A forged
    `starts_at` changes the digest, and nothing is covered then.)
    """
    if approval.kind == ApprovalKind.STANDING:
        return approval
    starts_at = record.starts_at if record else None
    votes = [vote.at for vote in approval.votes if vote.verdict == Verdict.APPROVE]
    begins = max([approval.valid_from, *votes, *([starts_at] if starts_at else [])])
    until = approval.valid_until or begins + timedelta(seconds=take_up_within)
    return approval.model_copy(update={"valid_from": begins, "valid_until": until})


def _moment(approval: Approval, grant: ListedGrant) -> datetime:
    """When the grant was made, or what is nearest to it in the approval's time by what clocks may differ.

    That time ends with its validity, or when nobody has looked at it for too long.
    """
    earliest, latest = when_intended(grant)
    moment = max(grant.created_at, min(approval.valid_from, latest))
    ends = [end for end in (approval.valid_until, approval.unreviewed_after) if end]
    return min([moment, *(max(earliest, end - _LEAST) for end in ends)])


def _asked(grant: ListedGrant, recorded: Recorded, approval: Approval, at: datetime) -> Asked:
    lives = (grant.expiry or grant.created_at) - grant.created_at - SKEW
    return Asked(
        key_arn=grant.key_arn,
        account=grant.account or "",
        grantee=grant.grantee,
        scope=grant.scope or approval.scope,
        duration=max(1, int(lives.total_seconds())),
        at=at,
        life=_life(grant),
        requester=recorded.requester,
        digest=recorded.digest(approval),
    )


def _life(grant: ListedGrant) -> tuple[datetime, datetime]:
    """From when until when it lives, at least: clocks may differ where it begins, its end is in its name."""
    end = grant.expiry or grant.created_at + _SECOND
    return min(when_intended(grant)[1], end - _SECOND), end
