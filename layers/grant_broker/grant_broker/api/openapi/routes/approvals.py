"""Standing approvals: approve ahead, vote, withdraw."""

from grant_broker.api.openapi.routes.operation import Operation
from grant_broker.api.query import PAGED
from grant_broker.api.shapes.approvals import Approval
from grant_broker.api.shapes.third_parties import Page
from grant_broker.domain.decisions import Decision
from grant_broker.domain.standing_approval import StandingApproval

_APPROVAL = "/security/approvals/{approval_id}"

APPROVALS = (
    Operation(
        "get_approvals",
        "GET",
        "/security/approvals",
        "Standing approvals, newest first.",
        {200: Page[Approval]},
        query=PAGED,
    ),
    Operation(
        "post_approval",
        "POST",
        "/security/approvals",
        "Approve ahead; this is the maker's vote.",
        {201: Approval},
        body=StandingApproval,
        repeatable=True,
        follow=("get_approval", "delete_approval", "post_approval_decision"),
    ),
    Operation("get_approval", "GET", _APPROVAL, "One standing approval.", {200: Approval}),
    Operation(
        "delete_approval",
        "DELETE",
        _APPROVAL,
        "Withdraw a standing approval.",
        {204: None},
        query=("revoke_active",),
        conflicts=True,
    ),
    Operation(
        "post_approval_decision",
        "POST",
        f"{_APPROVAL}/decision",
        "Vote on a standing approval.",
        {200: Approval},
        body=Decision,
        repeatable=True,
    ),
)
