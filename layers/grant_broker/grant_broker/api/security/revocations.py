"""Mass revocations: end all that is selected, see how far it is, lift its block."""

from grant_broker.api import lists, query
from grant_broker.api.responses import Answer
from grant_broker.api.routing import Call, Routes
from grant_broker.api.views.revocations import progress_view
from grant_broker.api.waiting import REVOCATION
from grant_broker.approvals import mass_revocations
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.domain.mass_revocations import MassRevocationAsked

routes = Routes[ApprovalsBroker]()


@routes.route("POST", "/security/revocations", takes_body=True)
def post_revocations(broker: ApprovalsBroker, call: Call) -> Answer:
    """Block what is selected, and end all of it."""
    asked = call.read(MassRevocationAsked)
    made = mass_revocations.create(broker, call.caller, asked, call.idempotency)
    location = f"/security/revocations/{made.id}"
    return Answer(202, {"id": made.id, "matched": made.matched}, location, retry_after=REVOCATION)


@routes.route("GET", "/security/revocations", parameters=query.PAGED)
def get_revocations(broker: ApprovalsBroker, call: Call) -> Answer:
    """Mass revocations."""
    read = mass_revocations.progress_reader(broker)
    return lists.answer_page(call, broker.revocations.list, lambda r: progress_view(read(r)))


@routes.route("GET", "/security/revocations/<revocation_id>")
def get_revocation(broker: ApprovalsBroker, _call: Call, revocation_id: str) -> Answer:
    """One mass revocation: how far it is, and what it blocks."""
    progress = mass_revocations.progress_reader(broker)(broker.revocations.get(revocation_id))
    return Answer(200, progress_view(progress), retry_after=REVOCATION if progress.left else None)


@routes.route("DELETE", "/security/revocations/<revocation_id>")
def delete_revocation(broker: ApprovalsBroker, call: Call, revocation_id: str) -> Answer:
    """Lift its block."""
    mass_revocations.lift(broker, call.caller, revocation_id)
    return Answer(204)
