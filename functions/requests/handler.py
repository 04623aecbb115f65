"""Third parties: submit, read, withdraw, take up and release requests. Alone holds kms:CreateGrant."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from grant_broker.api import cursors, http, lists
from grant_broker.api.problems import Answer
from grant_broker.api.routing import event_of, repeatable, resolver, respond, share_handlers, third_party
from grant_broker.api.views import list_view, offer_view, request_view
from grant_broker.approvals import votes as decisions
from grant_broker.broker import Broker
from grant_broker.domain.checks import Function
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.people import Caller
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.submission import Submission
from grant_broker.keys import checks
from grant_broker.metrics import published
from grant_broker.requests.dry_run import foresee
from grant_broker.requests.submit import submit
from grant_broker.requests.take_up import take_up

# The logger "requests", as the service is named, belongs to the HTTP library of this name where it is loaded.
logger = Logger(service="grant-broker-requests")
share_handlers(logger)
metrics = Metrics()
app = resolver()


def measure(name: str, value: float) -> None:
    """Add a metric of this call."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


@cache
def broker() -> Broker:
    """The broker of this function, made once a process."""
    return Broker.from_environment(os.environ, measure=measure)


@app.post("/requests")
def post_request() -> Response[str]:
    """Submit a request, or ask what submitting it would lead to."""
    event = event_of(app)
    caller = third_party(event, broker())
    query = http.query_of(event, "dry_run")
    dry_run = http.one_of(query, "dry_run", ("true", "false")) == "true"
    submission, repeat = http.read(Submission, event), repeatable(event)
    if dry_run:
        return respond(Answer(200, foresee(broker(), caller, submission).view()))
    request = submit(broker(), caller, submission, repeat)
    location = {"Location": f"/requests/{request.id}"}
    return respond(Answer(201, _view(caller, request), headers=location))


@app.get("/requests")
def get_requests() -> Response[str]:
    """The account's requests."""
    event = event_of(app)
    caller = third_party(event, broker())
    query = http.query_of(event, "status", "limit", "cursor")
    status, limit = http.one_of(query, "status", Status), http.limit_of(query)
    bound = cursors.binding(caller, "GET /requests", query)
    after = cursors.read(query.get("cursor"), bound)
    found, after = lists.own_requests(broker(), caller.account, status=status, limit=limit, after=after)
    views = [request_view(request) for request in found]
    return respond(Answer(200, list_view(views, cursors.write(bound, after))))


@app.get("/requests/<request_id>")
def get_request(request_id: str) -> Response[str]:
    """One request of the account."""
    caller = _caller()
    request = decisions.found(broker(), request_id, account=caller.account)
    return respond(Answer(200, _view(caller, request)))


@app.delete("/requests/<request_id>")
def delete_request(request_id: str) -> Response[str]:
    """Withdraw a request that has no grant yet."""
    caller = _caller_without_body()
    request = decisions.owned(broker(), request_id, caller)
    return respond(Answer(200, request_view(decisions.withdraw(broker(), request, by=caller.arn))))


@app.post("/requests/<request_id>/grant")
def post_grant(request_id: str) -> Response[str]:
    """Take an approved request up. Repeating it is safe without a key, which is only checked."""
    caller = _caller_without_body()
    http.idempotency_key_of(event_of(app))
    request, made = take_up(broker(), decisions.owned(broker(), request_id, caller), by=caller.arn)
    return respond(Answer(201 if made else 200, _view(caller, request)))


@app.delete("/requests/<request_id>/grant")
def delete_grant(request_id: str) -> Response[str]:
    """Release a grant before its time."""
    caller = _caller_without_body()
    request = decisions.owned(broker(), request_id, caller)
    return respond(Answer(202, request_view(decisions.release(broker(), request, by=caller.arn))))


@app.get("/keys")
def get_keys() -> Response[str]:
    """What the caller's account may ask for."""
    event = event_of(app)
    caller = third_party(event, broker())
    query = http.query_of(event, "limit", "cursor")
    bound, limit = cursors.binding(caller, "GET /keys", query), http.limit_of(query)
    after = cursors.read(query.get("cursor"), bound)
    found, after = lists.keys(broker(), account=caller.account, limit=limit, after=after)
    views = [offer_view(key, caller.account) for key in found]
    return respond(Answer(200, list_view(views, cursors.write(bound, after))))


def _caller() -> Caller:
    caller = third_party(event_of(app), broker())
    http.query_of(event_of(app))
    return caller


def _caller_without_body() -> Caller:
    caller = _caller()
    http.no_body(event_of(app))
    return caller


def _view(caller: Caller, request: GrantRequest) -> dict[str, Any]:
    return request_view(request, token=request.belongs_to(caller, broker().person(caller)))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One API call, or the minute's checks of this function's own right."""
    with published(metrics):
        if event.get("check") == Function.REQUESTS:
            return {"checked": checks.run(broker(), Function.REQUESTS)}
        return app.resolve(event, context)
