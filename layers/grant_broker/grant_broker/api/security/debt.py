"""What falls due."""

from grant_broker.api.responses import Answer
from grant_broker.api.routing import Call, Routes
from grant_broker.api.views.debt import debt_view
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.debt import find_debt

routes = Routes[ApprovalsBroker]()


@routes.route("GET", "/security/debt")
def get_debt(broker: ApprovalsBroker, _call: Call) -> Answer:
    """What falls due, and how late it would come."""
    return Answer(200, debt_view(find_debt(broker)))
