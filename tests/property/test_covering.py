"""Covering is set inclusion, as KMS's own reading of grants tells."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from grant_broker.domain.scope import OPERATIONS, ContextMatch, Scope
from grant_broker.policy_engine import Call, decide_kms
from grant_broker.policy_engine.constraints import KeyCase

HOME = "111122223333"
KEY = f"arn:aws:kms:eu-central-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
PARTNER = "arn:aws:iam::444455556666:role/writer"
NOBODY: Any = {"Version": "2012-10-17", "Statement": []}
NAMES, VALUES = ["tenant", "Tenant", "day"], ["a", "A", "b"]


@st.composite
def contexts(draw: st.DrawFn, smallest: int = 1) -> dict[str, str]:
    """An encryption context, its keys told apart without case."""
    found = draw(
        st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), min_size=smallest, max_size=3)
    )
    if {"tenant", "Tenant"} <= set(found):
        del found["Tenant"]
    return found


SCOPES = st.builds(
    Scope,
    operations=st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=3).map(tuple),
    encryption_context=contexts(),
    context_match=st.sampled_from(ContextMatch),
)
EXACT = KeyCase.EXACT


def allows(
    scope: Scope, operation: str, context: dict[str, str], key_case: KeyCase = KeyCase.IGNORED
) -> bool:
    """Whether a grant of this scope allows a call, by the policy engine."""
    grant = {
        "GrantId": "g", "KeyId": KEY, "GranteePrincipal": PARTNER, "Operations": list(scope.operations),
        "Constraints": scope.constraints,
    }  # fmt: skip
    call = Call(PARTNER, f"kms:{operation}", KEY, {"aws:PrincipalArn": PARTNER}, encryption_context=context)
    decision = decide_kms(call, key_policy=NOBODY, identity_policies=[], grants=[grant], key_case=key_case)
    return decision.allowed


@given(approved=SCOPES, asked=SCOPES, context=contexts(0), operation=st.sampled_from(OPERATIONS))
def test_covered_allows_no_more(
    approved: Scope, asked: Scope, context: dict[str, str], operation: str
) -> None:
    """Whatever a covered grant allows, the approved one would allow."""
    for case in KeyCase:
        if asked.excess_over(approved) is None and allows(asked, operation, context, case):
            assert allows(approved, operation, context, case)


def witness(asked: Scope, approved: Scope) -> list[dict[str, str]]:
    """Contexts that tell the two apart if any does: the asked pairs, alone and with one more."""
    return [
        asked.encryption_context,
        {**asked.encryption_context, "another": "x"},
        approved.encryption_context,
    ]


@given(approved=SCOPES, asked=SCOPES)
def test_not_covered_allows_more(approved: Scope, asked: Scope) -> None:
    """Whatever is not covered would allow a call that the approved grant does not, if case matters."""
    if asked.operations == ("DescribeKey",):
        return  # It has no encryption context, so that every scope allows the same; still not covered.
    more = any(
        allows(asked, operation, context, EXACT) and not allows(approved, operation, context, EXACT)
        for operation in OPERATIONS
        for context in witness(asked, approved)
    )
    assert more is (asked.excess_over(approved) is not None)


@given(approved=SCOPES, between=SCOPES, asked=SCOPES)
def test_order(approved: Scope, between: Scope, asked: Scope) -> None:
    """Covering is an order: each covers itself, and what covers the covering one covers."""
    assert approved.excess_over(approved) is None
    if between.excess_over(approved) is None and asked.excess_over(between) is None:
        assert asked.excess_over(approved) is None


@given(one=SCOPES, other=SCOPES, context=contexts(0))
def test_meeting(one: Scope, other: Scope, context: dict[str, str]) -> None:
    """Two scopes meet where some context is allowed by both, and are told the same from either side."""
    both = (
        one.model_copy(update={"operations": ("Encrypt",)}),
        other.model_copy(update={"operations": ("Encrypt",)}),
    )
    assert one.meets(other) is other.meets(one)
    mine = {key.casefold() for key in one.encryption_context}
    others = {key: value for key, value in other.encryption_context.items() if key.casefold() not in mine}
    common = {**one.encryption_context, **others}
    if one.meets(other):
        assert all(allows(scope, "Encrypt", common) for scope in both)
    else:
        assert not all(allows(scope, "Encrypt", context) for scope in both)
