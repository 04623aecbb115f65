"""Managed keys: their limits, changes of these, and the broker's checks of its own rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grant_broker.domain.checks import Check, KeyChecks
from grant_broker.domain.key_document import BreakGlass, Comparison, KeyDocument, compare
from grant_broker.domain.keys import Key
from grant_broker.domain.proposals import Proposal
from grant_broker.domain.times import format_duration, format_time, format_time_or_none, from_epoch
from grant_broker.domain.votes import Quorum
from grant_broker.keys.limits import Outcome

if TYPE_CHECKING:
    from grant_broker.api.shapes import keys as shapes


def key_view(key: Key, *, may_decide: bool) -> shapes.Key:
    """A key's limits, as the security team sees and writes them, and whether the caller decides on them."""
    return {**document_view(key.document), "may_decide": may_decide}


def document_view(limits: KeyDocument) -> shapes.Limits:
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


def _break_glass(limits: BreakGlass | None) -> shapes.BreakGlassLimits | None:
    if limits is None:
        return None
    return {
        "principals": list(limits.principals),
        "max_duration": format_duration(limits.max_duration),
        "per_day": limits.per_day,
    }


def changed_key_view(key: Key, comparison: Comparison, *, may_decide: bool) -> shapes.ChangedKey:
    """A key's limits after a change, and what the change opened and closed."""
    shown = key_view(key, may_decide=may_decide)
    return {**shown, "widened": list(comparison.widened), "narrowed": list(comparison.narrowed)}


def votes_view(outcome: Outcome) -> shapes.Votes:
    """The votes for a key's document, how many it takes, and what it would open and close."""
    return {
        "votes": outcome.votes,
        "quorum": outcome.quorum,
        "widened": list(outcome.comparison.widened),
        "narrowed": list(outcome.comparison.narrowed),
    }


def proposal_view(proposal: Proposal, key: Key, quorum: Quorum) -> shapes.Proposal:
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


def checks_view(checks: KeyChecks) -> shapes.KeyChecks:
    """A key's checks."""
    return {
        "grantable": checks.grantable,
        "checks": [_check(check) for check in (checks.create, checks.end)],
    }


def _check(check: Check) -> shapes.KeyCheck:
    return {
        "function": check.function.value,
        "result": check.result.value if check.result else None,
        "at": format_time_or_none(check.checked_at),
        "missing": list(check.missing),
        "next_at": format_time(from_epoch(check.due)) if check.due is not None else None,
    }
