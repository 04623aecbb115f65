"""The use cases of looks and tickets, for the sweep that kills each after each of its AWS calls."""

from typing import Any

from tests.local_stack.tickets import HOOK
from tests.simulation import looks
from tests.simulation.cases import Act, Case, Plan
from tests.simulation.one_request import SCOPE, OneRequest
from tests.simulation.world import PARTNER


def _hooked(one: OneRequest) -> None:
    one.acts.limit("alice", "second_data", {"ticket_hook": HOOK})


def _hooked_and_approved(one: OneRequest) -> None:
    _hooked(one)
    one.approved()


def _submit(key: str) -> Act:
    return lambda one, plan: one.acts.submit("partner", key, SCOPE, plan=plan)


def _take_up(one: OneRequest, plan: Plan) -> Any:
    return one.acts.take_up("partner", one.request, plan=plan)


def _all_owe_looks(one: OneRequest) -> None:
    """A grant by a standing approval lives, on a key and of an account that owe looks, all of them due."""
    one.acts.limit("alice", "partner_data", {"review_every": "P30D"})
    one.acts.name_account("alice", PARTNER)
    one.active_ahead()
    for kind in looks.KINDS:
        for subject in looks.owing(one.world, kind):
            looks.grow_old(one.world, subject, 60)


def _unseen(one: OneRequest) -> None:
    _all_owe_looks(one)
    one.advance(120)


def _approved_and_unseen(one: OneRequest) -> None:
    """Approved ahead for a later start, before which nobody looks."""
    one.acts.approve_ahead("alice", "partner_data", PARTNER, lasts=3600)
    one.request = one.acts.submit("partner", "partner_data", SCOPE, later=300)
    [approval] = looks.owing(one.world, "approval")
    looks.grow_old(one.world, approval, 100)
    one.advance(400)


def _sign_off(kind: str) -> Act:
    def act(one: OneRequest, plan: Plan) -> Any:
        [subject] = looks.owing(one.world, kind)
        return one.acts.sign_off("bob", subject, plan=plan)

    return act


def _reconcile(one: OneRequest, plan: Plan) -> None:
    one.world.run_reconcile(plan=plan)


_NAMES = {"key": "a key", "approval": "a standing approval", "account": "an account"}
OVERSIGHT_CASES = (
    Case("submit with a ticket", _hooked, _submit("second_data"), frozenset({"lapsed"})),
    Case("take up with a ticket", _hooked_and_approved, _take_up, frozenset({"lapsed", "failed", "expired"})),
    *(
        Case(f"sign off {name}", _all_owe_looks, _sign_off(kind), frozenset({"expired"}))
        for kind, name in _NAMES.items()
    ),
    Case("count the looks that are due", _all_owe_looks, _reconcile, frozenset({"expired"})),
    Case("submit what nobody looks at", _unseen, _submit("partner_data"), frozenset({"expired", "lapsed"})),
    Case("take up what nobody looks at", _approved_and_unseen, _take_up, frozenset({"lapsed"})),
)
