"""The audit trail."""

import re
from functools import partial

from grant_broker.api import lists, query, searches
from grant_broker.api.responses import Answer
from grant_broker.api.routing import Call, Routes
from grant_broker.api.views.events import event_view
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.search_events import search_events, search_trail

routes = Routes[ApprovalsBroker]()
_REQUEST_ID = re.compile(r"[0-9a-f]{32}")


@routes.route("GET", "/security/events", parameters=("request", *searches.EVENTS, *query.PAGED))
def get_events(broker: ApprovalsBroker, call: Call) -> Answer:
    """The audit trail, oldest first unless newest are asked for first."""
    search = searches.event_search(call.query, broker.store.find_key_named)
    if request_id := query.matching(call.query, "request", _REQUEST_ID.fullmatch):
        return lists.answer_page(call, partial(search_trail, broker.store, request_id, search), event_view)
    return lists.answer_page(call, partial(search_events, broker.store, search), event_view)
