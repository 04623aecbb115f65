"""Requests as approvers see them: decide, revoke, ask why."""

from functools import partial

from grant_broker.api import lists, query, searches
from grant_broker.api.responses import Answer
from grant_broker.api.routing import Call, Routes
from grant_broker.api.usage import find_one_usage, with_usage
from grant_broker.api.views.requests import seen_request_view, trail_view
from grant_broker.api.views.third_parties import explanation_view
from grant_broker.api.waiting import retry_after_of
from grant_broker.approvals import votes
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.revoke import revoke
from grant_broker.approvals.seen_requests import read_closely, request_reader
from grant_broker.approvals.why import explain_call
from grant_broker.domain.decisions import Decision, Revocation
from grant_broker.domain.question import Question
from grant_broker.domain.request import GrantRequest

routes = Routes[ApprovalsBroker]()


@routes.route("GET", "/security/requests", parameters=(*searches.REQUESTS, *query.PAGED))
def get_requests(broker: ApprovalsBroker, call: Call) -> Answer:
    """Every account's requests."""
    search = searches.request_search(call.query, broker.store.find_key_named)
    read = request_reader(broker, call.caller)
    find = partial(broker.store.lists.list_requests, search)
    return lists.answer_page(
        call, with_usage(broker, find), lambda found: seen_request_view(read(found[0]), found[1])
    )


@routes.route("GET", "/security/requests/<request_id>")
def get_request(broker: ApprovalsBroker, call: Call, request_id: str) -> Answer:
    """One request with what was found out about it, and its trail."""
    request = broker.store.get_request(request_id)
    seen = read_closely(broker, call.caller, request)
    view = trail_view(seen, find_one_usage(broker, request), broker.store.get_trail(request.subject))
    return Answer(200, view, retry_after=retry_after_of(request, broker.clock()))


@routes.route("POST", "/security/requests/<request_id>/decision", takes_body=True)
def post_decision(broker: ApprovalsBroker, call: Call, request_id: str) -> Answer:
    """Vote on a request."""
    request = votes.vote(broker, call.caller, request_id, call.read(Decision), call.idempotency)
    return _answer_request(broker, 200, call, request)


@routes.route("DELETE", "/security/requests/<request_id>/grant", takes_body=True)
@routes.route("POST", "/security/requests/<request_id>/revocation", takes_body=True)
def revoke_request(broker: ApprovalsBroker, call: Call, request_id: str) -> Answer:
    """Revoke now. The POST is for clients that cannot send a body with DELETE."""
    revocation = call.read(Revocation)
    revoked = revoke(broker, request_id, by=call.caller.arn, reason=revocation.reason)
    return _answer_request(broker, 202, call, revoked)


@routes.route("POST", "/security/requests/<request_id>/why", takes_body=True)
def post_why(broker: ApprovalsBroker, call: Call, request_id: str) -> Answer:
    """Explain why KMS allows or refuses a call on a request's key."""
    explanation = explain_call(broker, request_id, call.read(Question))
    return Answer(200, explanation_view(explanation))


def _answer_request(broker: ApprovalsBroker, status: int, call: Call, request: GrantRequest) -> Answer:
    seen = request_reader(broker, call.caller)(request)
    view = seen_request_view(seen, find_one_usage(broker, request))
    return Answer(status, view, retry_after=retry_after_of(request, broker.clock()))
