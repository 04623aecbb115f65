"""Reviews of what somebody else did: see them, sign them off."""

import re
from functools import partial
from typing import TYPE_CHECKING

from grant_broker.api import cursors, lists, query
from grant_broker.api.responses import Answer
from grant_broker.api.routing import Call, Routes
from grant_broker.api.views.reviews import owed_view
from grant_broker.approvals import reviews
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.recertify import Which
from grant_broker.domain.reviews import Look

if TYPE_CHECKING:
    from grant_broker.api.shapes import reviews as shapes

routes = Routes[ApprovalsBroker]()
# Of several lists, one after the other: which, and the place in it.
_PLACE_OF_REVIEWS = re.compile(rf"(?:{'|'.join(reviews.PARTS)})#(?:{cursors.LISTED.pattern})?")


@routes.route("GET", "/security/reviews", parameters=query.PAGED)
def get_reviews(broker: ApprovalsBroker, call: Call) -> Answer:
    """Reviews that are owed."""
    find = partial(reviews.list_owed, broker, call.caller)
    return lists.answer_page(call, find, _show_review, form=_PLACE_OF_REVIEWS)


@routes.route("POST", "/security/reviews/<kind>/<review_id>", takes_body=True)
def post_review(broker: ApprovalsBroker, call: Call, kind: str, review_id: str) -> Answer:
    """Sign off what somebody else did."""
    look = call.read(Look)
    return Answer(
        200,
        _show_review(reviews.sign_off(broker, call.caller, Which(kind, review_id), look, call.idempotency)),
    )


def _show_review(seen: reviews.ReviewSeen) -> "shapes.Review":
    return owed_view(seen.owed, seen.signed, may_decide=seen.may_decide)
