"""Standing approvals: approve ahead, vote, withdraw."""

from functools import cache
from typing import TYPE_CHECKING

from grant_broker.api import lists, query
from grant_broker.api.responses import Answer
from grant_broker.api.routing import Call, Routes
from grant_broker.api.views.approvals import approval_view
from grant_broker.api.waiting import PEOPLE
from grant_broker.approvals import standing_approvals
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.domain.approvals import Approval
from grant_broker.domain.decisions import Decision
from grant_broker.domain.keys import Key
from grant_broker.domain.standing_approval import StandingApproval

if TYPE_CHECKING:
    from grant_broker.api.shapes import approvals as shapes

routes = Routes[ApprovalsBroker]()


@routes.route("GET", "/security/approvals", parameters=query.PAGED)
def get_approvals(broker: ApprovalsBroker, call: Call) -> Answer:
    """Standing approvals."""
    get_key, find = cache(broker.store.get_key), broker.store.lists.list_approvals
    return lists.answer_page(
        call, find, lambda approval: _show_approval(broker, call, approval, get_key(approval.key_arn))
    )


@routes.route("POST", "/security/approvals", takes_body=True)
def post_approval(broker: ApprovalsBroker, call: Call) -> Answer:
    """Approve ahead."""
    made = standing_approvals.create(broker, call.caller, call.read(StandingApproval), call.idempotency)
    return _answer_approval(broker, 201, call, made.id, location=f"/security/approvals/{made.id}")


@routes.route("GET", "/security/approvals/<approval_id>")
def get_approval(broker: ApprovalsBroker, call: Call, approval_id: str) -> Answer:
    """One standing approval."""
    return _answer_approval(broker, 200, call, approval_id)


@routes.route("POST", "/security/approvals/<approval_id>/decision", takes_body=True)
def post_approval_decision(broker: ApprovalsBroker, call: Call, approval_id: str) -> Answer:
    """Vote on a standing approval."""
    standing_approvals.vote(broker, call.caller, approval_id, call.read(Decision), call.idempotency)
    return _answer_approval(broker, 200, call, approval_id)


@routes.route("DELETE", "/security/approvals/<approval_id>", parameters=("revoke_active",))
def delete_approval(broker: ApprovalsBroker, call: Call, approval_id: str) -> Answer:
    """Withdraw a standing approval."""
    revoke_active = query.one_of(call.query, "revoke_active", ("true", "false")) == "true"
    standing_approvals.withdraw(broker, call.caller, approval_id, revoke_active=revoke_active)
    return Answer(204)


def _show_approval(broker: ApprovalsBroker, call: Call, approval: Approval, key: Key) -> "shapes.Approval":
    return approval_view(
        approval,
        quorum=broker.settings.quorum(key.document),
        now=broker.clock(),
        may_decide=standing_approvals.decides_on(broker, call.caller, approval, key),
    )


def _answer_approval(
    broker: ApprovalsBroker, status: int, call: Call, approval_id: str, *, location: str | None = None
) -> Answer:
    view = _show_approval(broker, call, *standing_approvals.get_with_key(broker, approval_id))
    return Answer(status, view, location, PEOPLE if view["status"] == "pending" else None)
