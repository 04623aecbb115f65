"""Reviews that the security team owes: list them, and sign them off."""

from dataclasses import dataclass

from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.recertify import RECERTIFIED, Which, list_due, recertify
from grant_broker.aws.pages import Page
from grant_broker.aws.reviews import Reviews
from grant_broker.domain.bookkeeping import reviewed
from grant_broker.domain.decisions import NO_APPROVER
from grant_broker.domain.errors import Conflict, NotFound, NotPermitted
from grant_broker.domain.idempotency import Idempotency
from grant_broker.domain.keys import Key
from grant_broker.domain.parties import Party, Voter, party
from grant_broker.domain.people import Caller
from grant_broker.domain.recertification import Due, Signed
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.reviews import BREAK_GLASS, Look, Owed, SignOff, owed_for
from grant_broker.domain.texts import is_id
from grant_broker.domain.votes import is_listed
from grant_broker.retries import retry_stale

PARTS = (BREAK_GLASS, *RECERTIFIED)
"""The lists that reviews come from, one after the other; a place is one of them and the place in it."""


@dataclass(frozen=True)
class ReviewSeen:
    """A review as somebody sees it: what is owed, who signed it off, and whether they may."""

    owed: Owed | Due
    signed: SignOff | Signed | None
    may_decide: bool


def list_owed(broker: ApprovalsBroker, caller: Caller, *, limit: int, after: str | None) -> Page[ReviewSeen]:
    """List what is owed and was not signed off: break-glass, keys, approvals, accounts, each newest first."""
    part, _, place = (after or f"{PARTS[0]}#").partition("#")
    page = _list_part(broker, caller, part, limit=limit, after=place or None)
    if page.after:
        return Page(page.records, f"{part}#{page.after}")
    rest = PARTS[PARTS.index(part) + 1 :]
    if not rest:
        return page
    # A list that is at its end here has given fewer than `limit`.
    following = list_owed(broker, caller, limit=limit - len(page.records), after=f"{rest[0]}#")
    return Page([*page.records, *following.records], following.after)


def _list_part(
    broker: ApprovalsBroker, caller: Caller, part: str, *, limit: int, after: str | None
) -> Page[ReviewSeen]:
    if part != BREAK_GLASS:
        due = list_due(broker, part, limit=limit, after=after)
        voter = Voter.of(caller, broker.person(caller))
        seen = [ReviewSeen(each.due, None, may_decide=each.fault(voter) is None) for each in due.records]
        return Page(seen, due.after)
    page = Reviews(broker.store.tables).list_owed(limit=limit, after=after)
    return Page([_as_seen(broker, caller, owed) for owed in page.records], page.after)


def sign_off(
    broker: ApprovalsBroker, caller: Caller, which: Which, look: Look, idempotency: Idempotency
) -> ReviewSeen:
    """Sign a review off, for good.

    Raises NotFound where none is owed, NotPermitted for whoever is no approver of the key, and for whoever
    asked for the grant, took it or may hold it; Conflict where it was signed off.
    """
    return retry_stale(lambda: _sign_off(broker, caller, which, look, idempotency))


def _sign_off(
    broker: ApprovalsBroker, caller: Caller, which: Which, look: Look, idempotency: Idempotency
) -> ReviewSeen:
    voter = Voter.of(caller, broker.person(caller))
    if which.kind in RECERTIFIED:
        return ReviewSeen(*recertify(broker, voter, which, look, idempotency), may_decide=True)
    request = _get_request(broker, which)
    owed = owed_for(request)
    if fault := _fault(voter, request, broker.store.find_key(request.key_arn)):
        raise NotPermitted(fault)
    if earlier := Reviews(broker.store.tables).find_sign_off(which.kind, which.id):
        if idempotency.mark and earlier.idempotency == idempotency.mark:
            return ReviewSeen(owed, earlier, may_decide=True)
        raise Conflict(f"it is signed off already, by {earlier.by}")
    stamp = broker.stamp(caller.arn)
    signed = SignOff(
        review=owed.review,
        id=owed.id,
        by=voter.arn,
        person=voter.person,
        comment=look.comment,
        at=stamp.at,
        idempotency=idempotency.mark,
    ).made()
    broker.store.commit(reviewed(request, stamp, which.kind, look.comment), signed)
    return ReviewSeen(owed, signed.record, may_decide=True)


def _get_request(broker: ApprovalsBroker, which: Which) -> GrantRequest:
    request = broker.store.find_request(which.id) if which.kind == BREAK_GLASS and is_id(which.id) else None
    if request is None or request.broken_glass is None:
        raise NotFound("there is no such review")
    return request


def _as_seen(broker: ApprovalsBroker, caller: Caller, owed: Owed) -> ReviewSeen:
    request = broker.store.find_request(owed.id)
    key, voter = broker.store.find_key(owed.key_arn), Voter.of(caller, broker.person(caller))
    return ReviewSeen(owed, None, may_decide=request is not None and _fault(voter, request, key) is None)


def _fault(voter: Voter, request: GrantRequest, key: Key | None) -> str | None:
    """Why somebody may not sign a request's review off, or None."""
    if key and not is_listed(voter.role_id, key.document.approvers):
        return NO_APPROVER
    asked = party(voter, requester=request.requester, grantee=None) != Party.NO
    # Of a role that looks like Identity Center's everybody is suspected: somebody must be left to look.
    holds = party(voter, requester=None, grantee=request.grantee) == Party.YES
    took_it = request.broken_glass is not None and request.broken_glass.person == voter.person
    own = asked or holds or took_it
    return "nobody signs off their own: somebody else must look at it" if own else None
