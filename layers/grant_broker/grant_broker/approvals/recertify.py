"""Looks that keys, standing approvals and accounts owe: list those that are due, and sign one off."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.aws.lists import Lists
from grant_broker.aws.pages import Page
from grant_broker.domain.accounts import Account
from grant_broker.domain.approvals import Approval
from grant_broker.domain.arns import key_id_of
from grant_broker.domain.decisions import NO_APPROVER
from grant_broker.domain.errors import Conflict, NotFound, NotPermitted
from grant_broker.domain.idempotency import Idempotency
from grant_broker.domain.keys import Key
from grant_broker.domain.parties import Voter
from grant_broker.domain.recertification import Due, Rhythm, Signed
from grant_broker.domain.reviews import Look
from grant_broker.domain.texts import is_id
from grant_broker.domain.votes import is_listed
from grant_broker.keys.register import get_key_arn

_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Which:
    """Which review: its kind, and the id of what it is of."""

    kind: str
    id: str


@dataclass(frozen=True)
class Recertifiable:
    """Something that owes looks: `approvers` are who may take one, None for the whole team."""

    record: Key | Approval | Account
    due: Due
    made_by: str | None
    approvers: tuple[str, ...] | None
    rhythm: Rhythm

    def fault(self, voter: Voter) -> str | None:
        """Why somebody may not sign it off, or None."""
        if not is_listed(voter.role_id, self.approvers):
            return NO_APPROVER
        own = self.made_by == voter.person
        return "nobody signs off their own: somebody else must look at it" if own else None


def list_due(broker: ApprovalsBroker, kind: str, *, limit: int, after: str | None) -> Page[Recertifiable]:
    """List what of a kind is due, newest first."""
    now = broker.clock()
    page = _SOURCES[kind].page(broker.store.lists, limit=limit, after=after)
    due = [each for each in page.records if each.owes_review(now) and each.is_in_effect(now)]
    return Page([_describe(broker, each) for each in due], page.after)


def recertify(
    broker: ApprovalsBroker, voter: Voter, which: Which, look: Look, idempotency: Idempotency
) -> tuple[Due, Signed]:
    """Sign something off until its next look; also before that is due.

    Raises NotFound, NotPermitted for whoever is no approver of the key, and for whoever made it or changed it
    last; Conflict where it owes no look.
    """
    record = _SOURCES[which.kind].find(broker, which.id)
    if record is None or not record.is_in_effect(broker.clock()):
        raise NotFound("there is no such review")
    owing = _describe(broker, record)
    if fault := owing.fault(voter):
        raise NotPermitted(fault)
    if record.review_due is None:
        raise Conflict("it owes no review")
    stamp = broker.stamp(voter.arn)
    # With the person: somebody else's key may be the same, and then nothing of theirs is stored yet.
    mark = f"{voter.person}:{idempotency.mark}" if idempotency.mark else None
    if mark and record.review_mark == mark:
        return owing.due, Signed(voter.arn, look.comment, record.reviewed_at or stamp.at)
    looks = owing.rhythm.after(stamp.at)
    broker.store.commit(record.reviewed(stamp, look.comment, looks, mark=mark))
    return owing.due, Signed(voter.arn, look.comment, stamp.at)


def _describe(broker: ApprovalsBroker, record: Key | Approval | Account) -> Recertifiable:
    rhythm, since = broker.settings.review_rhythm, record.review_due or broker.clock()
    if isinstance(record, Key):
        limits, by = record.document, record.documented_by
        key_id = key_id_of(limits.key_arn)
        due = Due("key", key_id, limits.key_arn, None, by or _UNKNOWN, limits.name, since)
        return Recertifiable(record, due, by, limits.approvers, Rhythm(limits.review_every, rhythm.grace))
    if isinstance(record, Account):
        said, by = record.document, record.documented_by
        due = Due("account", said.account, None, said.account, by or _UNKNOWN, said.name, since)
        return Recertifiable(record, due, by, None, rhythm)
    key, first = broker.store.find_key(record.key_arn), record.votes[0]
    due = Due("approval", record.id, record.key_arn, record.account, first.by, record.reason, since)
    return Recertifiable(record, due, first.person, key.document.approvers if key else None, rhythm)


def _find_key(broker: ApprovalsBroker, name: str) -> Key | None:
    return broker.store.find_key(get_key_arn(broker, name))


def _find_approval(broker: ApprovalsBroker, name: str) -> Approval | None:
    return broker.store.find_approval(name) if is_id(name) else None


def _find_account(broker: ApprovalsBroker, name: str) -> Account | None:
    return broker.store.find_account(name)


@dataclass(frozen=True)
class _Source:
    """Where the records of a kind are found."""

    find: Callable[[ApprovalsBroker, str], Key | Approval | Account | None]
    page: Callable[..., Page[Key] | Page[Approval] | Page[Account]]


_SOURCES: Mapping[str, _Source] = {
    "key": _Source(_find_key, Lists.list_keys),
    "approval": _Source(_find_approval, Lists.list_approvals),
    "account": _Source(_find_account, Lists.list_accounts),
}
RECERTIFIED = tuple(_SOURCES)
"""The kinds of what owes looks."""
