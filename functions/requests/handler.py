"""Third parties: submit, read, withdraw, take up, release, extend requests. Alone holds kms:CreateGrant."""

import os
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from grant_broker import init_phase
from grant_broker.api import lists, query
from grant_broker.api.caller import ensure_third_party, is_approver
from grant_broker.api.connections import connect
from grant_broker.api.paths import base_path
from grant_broker.api.responses import Answer
from grant_broker.api.routing import Api, Call
from grant_broker.api.usage import find_one_usage, with_usage
from grant_broker.api.views.third_parties import (
    explanation_view,
    forecast_view,
    offer_view,
    party_view,
    request_view,
)
from grant_broker.api.waiting import retry_after_of
from grant_broker.domain.break_glass import Emergency
from grant_broker.domain.checks import Function
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.people import Caller
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.searches import RequestSearch
from grant_broker.domain.submission import Extension, Submission
from grant_broker.logs import share_handlers
from grant_broker.metrics import measurer, published
from grant_broker.requests.broker import RequestsBroker
from grant_broker.requests.dry_run import dry_run
from grant_broker.requests.extend import extend
from grant_broker.requests.settings import RequestsSettings
from grant_broker.requests.submit import submit
from grant_broker.requests.take_up import take_up
from grant_broker.requests.withdraw import get_own_request, release, withdraw

# The logger "requests", as the service is named, belongs to the HTTP library of this name where it is loaded.
logger = Logger(service="grant-broker-requests")
share_handlers(logger)
metrics = Metrics()
measure = measurer(metrics)
# A function that is not told all of it does not start.
settings = RequestsSettings.from_environment(os.environ)


@cache
def broker() -> RequestsBroker:
    """The broker of this function, made once a process."""
    return RequestsBroker.build(settings, measure=measure)


# In the init phase, which no caller waits for.
connect(broker(), os.environ)


def ensure_permitted(caller: Caller) -> None:
    """NotPermitted for who is no third party; the home account is one like any other."""
    ensure_third_party(caller, {*settings.trusted_accounts, settings.home_account})


api = Api(ensure_permitted)


@api.route("POST", "/requests", parameters=("dry_run",), takes_body=True)
def post_request(call: Call) -> Answer:
    """Submit a request, or ask what submitting it would lead to."""
    only_ask = query.one_of(call.query, "dry_run", ("true", "false")) == "true"
    submission = call.read(Submission)
    if only_ask:
        return Answer(200, forecast_view(dry_run(broker(), call.caller, submission)))
    request = submit(broker(), call.caller, submission, call.idempotency)
    return _answer(201, call, request, location=f"/requests/{request.id}")


@api.route("GET", "/requests", parameters=("status", *query.PAGED))
def get_requests(call: Call) -> Answer:
    """The account's requests."""
    status = query.one_of(call.query, "status", Status)
    search = RequestSearch(account=call.caller.account, status=status)
    find = with_usage(broker(), partial(broker().store.lists.list_requests, search))
    return lists.answer_page(call, find, lambda found: request_view(*found))


@api.route("GET", "/requests/<request_id>")
def get_request(call: Call, request_id: str) -> Answer:
    """One request of the account."""
    return _answer(200, call, broker().store.get_request(request_id, account=call.caller.account))


@api.route("DELETE", "/requests/<request_id>")
def delete_request(call: Call, request_id: str) -> Answer:
    """Withdraw a request that has no grant yet."""
    return Answer(200, request_view(withdraw(broker(), call.caller, request_id), None))


@api.route("POST", "/requests/<request_id>/grant")
def post_grant(call: Call, request_id: str) -> Answer:
    """Take an approved request up. Repeating it is safe without an Idempotency-Key."""
    request = get_own_request(broker(), call.caller, request_id)
    request, made = take_up(broker(), request, by=call.caller.arn)
    if not made:
        return _answer(200, call, request)
    return _answer(201, call, request, location=f"/requests/{request.id}")


@api.route("DELETE", "/requests/<request_id>/grant")
def delete_grant(call: Call, request_id: str) -> Answer:
    """Release a grant before its time."""
    released = release(broker(), call.caller, request_id)
    view = request_view(released, find_one_usage(broker(), released))
    return Answer(202, view, retry_after=retry_after_of(released, broker().clock()))


@api.route("POST", "/requests/<request_id>/extension", takes_body=True)
def post_extension(call: Call, request_id: str) -> Answer:
    """Ask to go on with an active grant: a request of its own."""
    asked = call.read(Extension)
    request = extend(broker(), call.caller, request_id, asked, call.idempotency)
    return _answer(201, call, request, location=f"/requests/{request.id}")


@api.route("POST", "/requests/<request_id>/break-glass", takes_body=True)
def post_break_glass(call: Call, request_id: str) -> Answer:
    """Be granted a pending request at once, in an emergency."""
    from grant_broker.requests.break_glass import break_glass  # noqa: PLC0415 - a rare call, which takes some ms

    request = break_glass(broker(), call.caller, request_id, call.read(Emergency), call.idempotency)
    return _answer(201, call, request, location=f"/requests/{request.id}")


@api.route("POST", "/requests/<request_id>/why", takes_body=True)
def post_why(call: Call, request_id: str) -> Answer:
    """Explain why KMS allows or refuses a call under a request, to its parties."""
    # Seldom asked, and the modules that answer it take a fiftieth of a cold start.
    from grant_broker.domain.question import Question  # noqa: PLC0415
    from grant_broker.requests.why import explain_call  # noqa: PLC0415

    question = call.read(Question)
    return Answer(200, explanation_view(explain_call(broker(), call.caller, request_id, question)))


@api.route("GET", "/keys", parameters=query.PAGED)
def get_keys(call: Call) -> Answer:
    """What the caller may ask for."""
    find = partial(broker().store.lists.list_keys, caller=call.caller)
    return lists.answer_page(call, find, lambda key: offer_view(key, call.caller.account))


@api.route("GET", "/openapi.json")
def get_openapi(call: Call) -> Answer:
    """The contract: what the caller may call."""
    from grant_broker.api.contract import contract_for  # noqa: PLC0415 - asked once, by who writes a client

    approver = is_approver(
        call.caller, home_account=settings.home_account, role_ids=settings.approver_role_ids
    )
    return Answer(200, contract_for(base_path(call.event), is_approver=approver))


def _answer(status: int, call: Call, request: GrantRequest, *, location: str | None = None) -> Answer:
    is_party = request.belongs_to(call.caller, broker().person(call.caller))
    usage = find_one_usage(broker(), request)
    view = party_view(request, usage) if is_party else request_view(request, usage)
    return Answer(status, view, location, retry_after_of(request, broker().clock()))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One API call, or the minute's checks of this function's own right."""
    with published(metrics):
        if event.get("check") == Function.REQUESTS:
            from grant_broker.requests import check  # noqa: PLC0415 - no caller waits for it

            return {"checked": check.run(broker())}
        return api.resolve(event, context)


init_phase.end()
