"""Managed keys: their limits, and what a submission outside of them is told."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.proposals import Proposal
from grant_broker.domain.scope import ENCRYPT_SIDE, ContextMatch, Scope
from tests.support.records import ACCOUNT, KEY, NOW, key

OWN_TENANT = {"required_context": {"tenant": "${account}"}}


def scope(*operations: str, match: str = "equals", **context: str) -> Scope:
    """A scope."""
    pairs = context or {"tenant": "a"}
    return Scope(
        operations=operations or ("Encrypt",), encryption_context=pairs, context_match=ContextMatch(match)
    )


def test_limits() -> None:
    """A key offers the encrypt side for eight hours, after one vote; accounts are kept in order, once."""
    document = key().document
    assert (document.operations, document.max_duration, document.quorum) == (ENCRYPT_SIDE, 28_800, 1)
    assert key(accounts=("666677778888", ACCOUNT, ACCOUNT)).document.accounts == (ACCOUNT, "666677778888")


def test_open() -> None:
    """A key is open to the accounts that it lists, until it is withdrawn."""
    closed = key().model_copy(update={"withdrawn_at": NOW})
    assert (key().open_to(ACCOUNT), key().open_to("666677778888")) == (True, False)
    assert (closed.open, closed.open_to(ACCOUNT)) == (False, False)
    assert key().subject == f"key#{KEY}"


@pytest.mark.parametrize(
    ("limits", "asked", "duration", "fields"),
    [
        ({}, scope(), 28_800, []),
        ({}, scope("Encrypt", "DescribeKey", match="subset"), 1, []),
        ({}, scope("Decrypt"), 1, ["operations"]),
        ({}, scope(), 28_801, ["duration"]),
        ({"context_match": "equals"}, scope(match="subset"), 1, ["context_match"]),
        ({"context_match": "equals"}, scope(), 1, []),
        (OWN_TENANT, scope(tenant=ACCOUNT, day="1"), 1, []),
        (OWN_TENANT, scope(tenant="666677778888"), 1, ["encryption_context"]),
        ({"required_context": {"tenant": "a"}}, scope(Tenant="a"), 1, ["encryption_context"]),
        (
            {"required_context": {"x": "1"}, "context_match": "equals"},
            scope("Decrypt", match="subset"), 99_999,
            ["operations", "duration", "encryption_context", "context_match"],
        ),
    ],
)  # fmt: skip
def test_faults(limits: dict[str, Any], asked: Scope, duration: int, fields: list[str]) -> None:
    """Everything outside the limits is told at once, by its field."""
    found = key(**limits).faults(asked, duration=duration, account=ACCOUNT)
    assert [fault.field for fault in found] == fields


def test_words() -> None:
    """A fault says what would be right, the account filled in, by the field that the caller gave."""
    limits = key(required_context={"tenant": "ü-${account}"})
    (context,) = limits.faults(scope(), duration=1, account=ACCOUNT)
    assert context.message == f'this key requires {{"tenant": "ü-{ACCOUNT}"}}'
    (longest,) = key().faults(scope(), duration=99_999, account=ACCOUNT, duration_field="max_duration")
    assert (longest.field, longest.message) == ("max_duration", "at most PT8H on this key")


def test_proposal() -> None:
    """Votes for a document count for a week, and only while the key's limits are as they were."""
    proposal = Proposal(document=key().document, base_version=0, proposed_at=NOW)
    assert proposal.subject == key().subject
    almost = NOW + timedelta(days=7) - timedelta(seconds=1)
    assert proposal.counts_for(key(), almost)
    assert not proposal.counts_for(key(), NOW + timedelta(days=7))
    assert proposal.counts_for(key().model_copy(update={"version": 2}), almost)
    assert not proposal.counts_for(key().model_copy(update={"limits_version": 2}), almost)
    assert key().document.digest != key(quorum=2).document.digest
