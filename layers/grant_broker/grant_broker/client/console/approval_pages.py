"""Standing approvals: what is approved ahead, voting on one that waits, and withdrawing one."""

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grant_broker.client.console.person import broker
from grant_broker.client.console.security_pages import MOST, names
from grant_broker.client.console.words import name_of
from grant_broker.client.errors import GrantBrokerError

if TYPE_CHECKING:
    from grant_broker.api.shapes.approvals import Approval

pages = Blueprint("approvals", __name__, url_prefix="/approvals")


@pages.get("/")
def show_approvals() -> str:
    """Those that wait for votes, then the others, newest first."""
    found = list(islice(broker().security.list_approvals(), MOST))
    found.sort(key=lambda approval: approval["status"] != "pending")
    return render_template("approvals.html", approvals=found, names=names(), most=MOST)


@pages.get("/<request:approval_id>")
def show_approval(approval_id: str) -> str:
    """One, with what can be done about it."""
    return _page_of(approval_id)


@pages.post("/<request:approval_id>/decision")
def decide(approval_id: str) -> ResponseReturnValue:
    """Vote."""
    verdict, comment = request.form.get("verdict", ""), request.form.get("comment", "")
    if verdict not in {"approve", "deny"}:
        abort(400, "Approve or deny.")
    return _act_or_show(
        approval_id,
        lambda: broker().security.decide_on_approval(approval_id, verdict, comment=comment),
    )


@pages.post("/<request:approval_id>/withdrawal")
def withdraw(approval_id: str) -> ResponseReturnValue:
    """Withdraw it, and end what it covered if so asked, by who has typed whom it is for."""
    phrase = _phrase(broker().security.get_approval(approval_id))
    if request.form.get("confirmation", "").strip() != phrase:
        words = f"Nothing was withdrawn: type {phrase} to confirm whom it was for."
        return _page_of(approval_id, words), 400
    ends = "revoke_active" in request.form
    return _act_or_show(
        approval_id, lambda: broker().security.withdraw_approval(approval_id, revoke_active=ends)
    )


def _phrase(approval: "Approval") -> str:
    """What is to be typed: the grantee as people call it, the account where it is for any of it."""
    return name_of(approval["grantee"]) if approval["grantee"] else approval["account"]


def _page_of(approval_id: str, problem: object = None) -> str:
    found = broker().security.get_approval(approval_id)
    return render_template(
        "approval.html",
        approval=found,
        phrase=_phrase(found),
        names=names(),
        problem=problem,
        typed=request.form,
    )


def _act_or_show(approval_id: str, act: Callable[[], object]) -> ResponseReturnValue:
    """Act, and go back to the approval; where it was refused, show why beside what was typed."""
    try:
        act()
    except GrantBrokerError as error:
        return _page_of(approval_id, error), 400
    return redirect(url_for(".show_approval", approval_id=approval_id), 303)
