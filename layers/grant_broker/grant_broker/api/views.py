"""Records as the API shows them: every field always there, null where it is not known yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

from grant_broker.domain.accounts import Account
from grant_broker.domain.approvals import Approval, Quorum, Vote
from grant_broker.domain.blocks import Selectors
from grant_broker.domain.break_glass import BrokenGlass
from grant_broker.domain.cause import Explanation
from grant_broker.domain.checks import Check, KeyChecks
from grant_broker.domain.continuity import Holding
from grant_broker.domain.key_document import BreakGlass, Comparison, KeyDocument, compare
from grant_broker.domain.keys import Key, Proposal
from grant_broker.domain.mass_revocations import Progress
from grant_broker.domain.preflight import Answer, Forecast, Preflight
from grant_broker.domain.recertification import Due, Signed
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.review import Review
from grant_broker.domain.reviews import Owed, SignOff
from grant_broker.domain.times import format_duration, format_time, from_epoch
from grant_broker.domain.trail import Event
from grant_broker.domain.warnings import warnings
from grant_broker.domain.windows import Window
from grant_broker.keys.limits import Outcome

if TYPE_CHECKING:
    # 41 shapes that no call needs: to make them takes a twenty-fifth of a cold start.
    from grant_broker.api import security_shapes, shapes


def request_view(request: GrantRequest) -> shapes.RequestShown:
    """A Request, without the grant's token."""
    grant: shapes.GrantShown | None = None
    if request.grant_id is not None:
        grant = {
            "grant_id": request.grant_id,
            "grant_token": None,  # nosec B105
            "issued_at": _time_or_none(request.issued_at),
            "expires_at": _time_or_none(request.expires_at),
            "ends_at": _time_or_none(request.ends_at),
            "spread_by": _time_or_none(request.spread_by),
        }
    return {**_request_fields(request), "grant": grant}


def party_view(request: GrantRequest) -> shapes.Request:
    """A Request for the requester's person or the grantee: with the grant's token while the grant lives."""
    grant: shapes.Grant | None = None
    if request.grant_id is not None:
        grant = {
            "grant_id": request.grant_id,
            "grant_token": request.grant_token if request.status.granted else None,
            "issued_at": _time_or_none(request.issued_at),
            "expires_at": _time_or_none(request.expires_at),
            "ends_at": _time_or_none(request.ends_at),
            "spread_by": _time_or_none(request.spread_by),
        }
    return {**_request_fields(request), "grant": grant}


def explanation_view(explanation: Explanation) -> shapes.Explanation:
    """Why KMS allows or refuses a call."""
    return {"verdict": explanation.cause, "because": explanation.because, "next": explanation.next}


def review_view(review: Review) -> security_shapes.RequestSeen:
    """A Request as approvers see it."""
    found = review.request.preflight
    return {
        **request_view(review.request),
        "preflight": _preflight(found) if found else None,
        "votes": {"given": review.given, "needed": review.needed},
        "others": [_other(holding) for holding in review.others],
        "may_decide": review.may_decide,
        "broken_glass": _broken_glass(review.request.broken_glass),
    }


def trail_view(review: Review, trail: Sequence[Event]) -> security_shapes.RequestWithTrail:
    """A Request as approvers see it, with its trail."""
    return {**review_view(review), "trail": [event_view(event) for event in trail]}


def approval_view(
    approval: Approval, *, quorum: Quorum, now: datetime, may_decide: bool
) -> security_shapes.Approval:
    """A standing approval."""
    return {
        "id": approval.id,
        "status": approval.status(quorum=quorum, now=now),
        "key": approval.key_arn,
        "account": approval.account,
        "grantee": approval.grantee,
        "operations": list(approval.scope.operations),
        "encryption_context": dict(approval.scope.encryption_context),
        "context_match": approval.scope.context_match.value,
        "max_duration": format_duration(approval.max_duration),
        "valid_from": format_time(approval.valid_from),
        # A standing approval always has an end.
        "valid_until": format_time(cast("datetime", approval.valid_until)),
        "windows": [_window(window) for window in approval.windows] if approval.windows else None,
        "reason": approval.reason,
        "decisions": [_vote(vote) for vote in approval.votes],
        "created_at": format_time(approval.created_at),
        "may_decide": may_decide,
    }


def key_view(key: Key, *, may_decide: bool) -> security_shapes.Key:
    """A key's limits, as the security team sees and writes them, and whether the caller decides on them."""
    return {**document_view(key.document), "may_decide": may_decide}


def document_view(limits: KeyDocument) -> security_shapes.Limits:
    """A key's limits, whether they hold or are proposed."""
    longest = limits.max_continuous
    return {
        "key_arn": limits.key_arn,
        "name": limits.name,
        "operations": list(limits.operations),
        "max_duration": format_duration(limits.max_duration),
        "max_continuous": None if longest is None else format_duration(longest),
        "required_context": dict(limits.required_context),
        "context_match": limits.context_match.value,
        "accounts": list(limits.accounts),
        "requesters": None if limits.requesters is None else list(limits.requesters),
        "approvers": None if limits.approvers is None else list(limits.approvers),
        "quorum": limits.quorum,
        "margin": format_duration(limits.margin),
        "break_glass": _break_glass(limits.break_glass),
        "review_every": format_duration(limits.review_every) if limits.review_every else None,
        "notify": limits.notify,
        "ticket_hook": limits.ticket_hook,
        "end_unused_after": limits.end_unused_after,
    }


def _break_glass(limits: BreakGlass | None) -> security_shapes.BreakGlassLimits | None:
    if limits is None:
        return None
    return {
        "principals": list(limits.principals),
        "max_duration": format_duration(limits.max_duration),
        "per_day": limits.per_day,
    }


def _broken_glass(glass: BrokenGlass | None) -> security_shapes.BrokenGlass | None:
    return {"by": glass.by, "reason": glass.reason, "at": format_time(glass.at)} if glass else None


def owed_view(
    owed: Owed | Due, signed: SignOff | Signed | None, *, may_decide: bool
) -> security_shapes.Review:
    """A review that is owed, with who signed it off if somebody has."""
    by = {"by": signed.by, "comment": signed.comment, "at": format_time(signed.at)} if signed else None
    return {
        "kind": owed.review,
        "id": owed.id,
        "key": owed.key_arn,
        "account": owed.account,
        "by": owed.by,
        "about": owed.about,
        "since": format_time(owed.since),
        "may_decide": may_decide,
        "signed_off": cast("security_shapes.SignOff | None", by),
    }


def changed_key_view(key: Key, comparison: Comparison, *, may_decide: bool) -> security_shapes.ChangedKey:
    """A key's limits after a change, and what the change opened and closed."""
    shown = key_view(key, may_decide=may_decide)
    return {**shown, "widened": list(comparison.widened), "narrowed": list(comparison.narrowed)}


def votes_view(outcome: Outcome) -> security_shapes.Votes:
    """The votes for a key's document, how many it takes, and what it would open and close."""
    return {
        "votes": outcome.votes,
        "quorum": outcome.quorum,
        "widened": list(outcome.comparison.widened),
        "narrowed": list(outcome.comparison.narrowed),
    }


def proposal_view(proposal: Proposal, key: Key, quorum: Quorum) -> security_shapes.Proposal:
    """A change of a key's limits that waits for votes."""
    comparison = compare(key.document, proposal.document)
    return {
        "document": document_view(proposal.document),
        "votes": proposal.votes(quorum),
        "quorum": quorum.needed,
        "widened": list(comparison.widened),
        "narrowed": list(comparison.narrowed),
        "proposed_at": format_time(proposal.proposed_at),
        "lapses_at": format_time(proposal.lapses_at),
    }


def account_view(account: Account) -> security_shapes.NamedAccount:
    """What the security team says of an account."""
    return {
        "account": account.document.account,
        "name": account.document.name,
        "contact": account.document.contact,
        "event_bus": account.document.event_bus,
    }


def offer_view(key: Key, account: str) -> shapes.Offer:
    """What a third party may ask for on a key; the account in its required context filled in."""
    limits = key.document
    return {
        "key_arn": limits.key_arn,
        "name": limits.name,
        "operations": list(limits.operations),
        "max_duration": format_duration(limits.max_duration),
        "required_context": key.required_context(account),
        "context_match": limits.context_match.value,
    }


def progress_view(progress: Progress) -> security_shapes.MassRevocation:
    """A mass revocation, and how far it is."""
    revocation = progress.revocation
    found = revocation.selectors
    return {
        "id": revocation.id,
        "key": found.key_arn,
        "account": found.account,
        "grantee": revocation.grantee,
        "all": found == Selectors(),
        "approval": revocation.approval,
        "reason": revocation.reason,
        "by": revocation.by,
        "created_at": format_time(revocation.created_at),
        "matched": revocation.matched,
        "ended": revocation.matched - progress.left,
        "left": progress.left,
        "finished_at": _time_or_none(revocation.finished_at),
        "blocked_until": _time_or_none(revocation.block_ended_at),
        "lifted_at": _time_or_none(revocation.lifted_at),
    }


def checks_view(checks: KeyChecks) -> security_shapes.KeyChecks:
    """A key's checks."""
    return {
        "grantable": checks.grantable,
        "checks": [_check(check) for check in (checks.create, checks.end)],
    }


def event_view(event: Event) -> security_shapes.Event:
    """An audit event."""
    return {
        "id": event.id,
        "at": format_time(event.at),
        "type": event.type,
        "request_id": event.request_id,
        "by": event.by,
        "detail": event.detail,
        "hash": event.hash,
    }


def forecast_view(forecast: Forecast) -> shapes.Forecast:
    """What a dry run found."""
    return {"outcome": forecast.outcome, "reasons": list(forecast.reasons)}


def _request_fields(request: GrantRequest) -> shapes.RequestFields:
    return {
        "id": request.id,
        "status": request.status,
        "requester": {"arn": request.requester_arn, "account": request.account},
        "grantee": request.grantee,
        "key": request.key_arn,
        "operations": list(request.scope.operations),
        "encryption_context": dict(request.scope.encryption_context),
        "context_match": request.scope.context_match.value,
        "duration": format_duration(request.shortest),
        "asked_duration": format_duration(request.asked_duration),
        "starts_at": _time_or_none(request.starts_at),
        "reason": request.reason,
        "ticket": request.ticket,
        "extends": request.extends,
        "created_at": format_time(request.created_at),
        "answer_by": _time_or_none(request.answer_by),
        "take_up_by": _time_or_none(request.take_up_by),
        "expires_at": _time_or_none(request.expires_at),
        "ended_at": _time_or_none(request.ended_at),
        "end_reason": request.end_reason,
        "absent_at": _time_or_none(request.absent_at),
        "safe_after": _time_or_none(request.safe_after),
        "decisions": [_vote(vote) for vote in request.decisions],
        "approval": request.approval,
        "warnings": warnings(request.scope, request.preflight),
    }


def _other(holding: Holding) -> security_shapes.OtherGrant:
    return {
        "id": holding.request_id,
        "status": holding.status,
        "operations": list(holding.scope.operations),
        "encryption_context": dict(holding.scope.encryption_context),
        "context_match": holding.scope.context_match.value,
        "expires_at": format_time(holding.expires_at),
    }


def _window(window: Window) -> security_shapes.WindowShown:
    return {
        "days": [day.value for day in window.days],
        "from": window.begins,
        "to": window.ends,
        "time_zone": window.time_zone,
    }


def _vote(vote: Vote) -> shapes.Vote:
    return {
        "by": vote.by,
        "verdict": vote.verdict.value,
        "comment": vote.comment,
        "duration": format_duration(vote.duration) if vote.duration else None,
        "at": format_time(vote.at),
    }


def _preflight(found: Preflight) -> security_shapes.Preflight:
    return {
        "at": format_time(found.at),
        "has_access": _finding(found.has_access),
        "grantee_accepted": _finding(found.grantee_accepted),
        "key_usable": _finding(found.key_usable),
        "can_create": _finding(found.can_create),
        "can_end": _finding(found.can_end),
    }


def _finding(found: Answer) -> security_shapes.Finding:
    return {"answer": found.answer.value, "reason": found.reason}


def _check(check: Check) -> security_shapes.KeyCheck:
    return {
        "function": check.function.value,
        "result": check.result.value if check.result else None,
        "at": _time_or_none(check.checked_at),
        "missing": list(check.missing),
        "next_at": format_time(from_epoch(check.due)) if check.due is not None else None,
    }


def _time_or_none(time: datetime | None) -> str | None:
    return format_time(time) if time else None
