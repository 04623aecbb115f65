"""The fault machine with what is asked beside approvals: looks at what stands for long, and tickets."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.local_stack.people import HOME
from tests.local_stack.tickets import HOOK
from tests.simulation import looks
from tests.simulation.hooks import TICKETS
from tests.simulation.machine import (
    APPROVERS,
    CROWD,
    ISSUES,
    KEYS,
    PICK,
    PLANS,
    SHORTENED,
    STEPS,
    THIRD_PARTIES,
    VOTERS,
    Faults,
)
from tests.simulation.world import OTHER, PARTNER

_KINDS = st.sampled_from(looks.KINDS)
_SOON = st.sampled_from([1, 1, 1, 60, 300])
"""Seconds until a grace is over."""


class Oversight(Faults):
    """What nobody has looked at, and what has no ticket that stands, lets nothing begin, and ends nothing."""

    @rule(who=APPROVERS, account=st.sampled_from([PARTNER, OTHER, HOME]), plan=PLANS)
    def name_account(self, who: str, account: str, plan: Any) -> None:
        self.acts.name_account(who, account, plan=plan)

    @rule(kind=_KINDS, pick=PICK, seconds=_SOON)
    def nobody_looks(self, kind: str, pick: int, seconds: int) -> None:
        """Something has stood for so long that its grace is over, or is soon."""
        if found := looks.owing(self.world, kind):
            STEPS[f"unseen: {kind}"] += looks.grow_old(self.world, found[pick % len(found)], seconds)

    @rule(who=APPROVERS, kind=_KINDS, pick=PICK, repeat=st.booleans(), plan=PLANS)
    def sign_off(self, *, who: str, kind: str, pick: int, repeat: bool, plan: Any) -> None:
        if found := looks.owing(self.world, kind):
            answer = self.acts.sign_off(who, found[pick % len(found)], repeat=repeat, plan=plan)
            STEPS["looks"] += answer is not None and answer.status == 200

    @rule(
        key=KEYS, kind=_KINDS, pick=PICK, later=st.sampled_from([0, 0, 300]), seconds=_SOON, plan=ISSUES,
        wait=st.sampled_from([1, 40]), signer=st.none() | APPROVERS,
    )  # fmt: skip
    def be_granted_unseen(
        self, *, key: str, kind: str, pick: int, later: int, seconds: int, wait: int, signer: Any, plan: Any
    ) -> None:
        """By a standing approval, when it, its key or its account has not been looked at for too long."""
        self.acts.limit("carol", key, {"review_every": "P30D"})
        self.acts.name_account("carol", PARTNER)
        self.acts.approve_ahead("bob", key, PARTNER, lasts=7200)
        request = self.acts.submit("partner", key, CROWD, later=later)
        found = looks.owing(self.world, kind)
        aged = [each for each in found if looks.grow_old(self.world, each, seconds)]
        self.world.advance(later + wait)
        if signer and found:
            self.acts.sign_off(signer, found[pick % len(found)])
        self.acts.take_up("partner", request, plan=plan)
        request = self.acts.submit("partner", key, CROWD, plan=plan)
        STEPS["left to people, unseen"] += bool(aged) and request in self.world.requests("pending")

    @rule(
        voters=VOTERS, key=KEYS, ticket=st.sampled_from(TICKETS), unchecked=st.booleans(), who=THIRD_PARTIES,
        ahead=st.booleans(), durations=SHORTENED, plan=ISSUES,
    )  # fmt: skip
    def be_granted_by_ticket(
        self, *, voters: Any, key: str, ticket: str, unchecked: bool, who: str, ahead: bool, durations: Any,
        plan: Any,
    ) -> None:  # fmt: skip
        """On a key that asks for tickets, whatever its function answers, or does not."""
        for voter in voters:
            self.acts.limit(voter, key, {"ticket_hook": HOOK})
        self.world.let_go_on(unchecked=unchecked)
        if ahead:
            self.acts.approve_ahead("bob", key, self.world.people[who].account, lasts=600)
        request = self.acts.submit(who, key, {**CROWD, "ticket": ticket}, plan=plan)
        self.acts.agree(request, durations)
        self.acts.take_up(who, request, plan=plan)
        STEPS[f"granted by ticket {ticket}"] += request in self.world.requests("active")
