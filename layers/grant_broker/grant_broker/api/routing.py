"""One way in for both API functions: routes of Powertools' resolver, errors answered in one place."""

import hashlib
import logging
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from grant_broker.api import http
from grant_broker.api.problems import Answer, problem
from grant_broker.broker import Broker
from grant_broker.domain.errors import NotFound, NotPermitted
from grant_broker.domain.people import Caller
from grant_broker.requests.submit import Repeatable


def resolver() -> APIGatewayRestResolver:
    """A resolver that answers every error with a problem document, the unforeseen ones too."""
    app = APIGatewayRestResolver()
    app.exception_handler(Exception)(lambda error: respond(problem(error)))
    # The gateway lets known routes through only; this is a path parameter that can be nobody's id.
    app.not_found(lambda _error: respond(problem(NotFound("there is no such thing"))))
    return app


def respond(answer: Answer) -> Response[str]:
    """An answer as API Gateway takes it."""
    return Response(
        status_code=answer.status,
        content_type=answer.content_type,
        body=answer.text,
        headers={"Cache-Control": "no-store", **answer.headers},
    )


def event_of(app: APIGatewayRestResolver) -> dict[str, Any]:
    """The event as API Gateway sent it."""
    return app.current_event.raw_event


def third_party(event: dict[str, Any], broker: Broker) -> Caller:
    """The caller of a third-party route: of a trusted account or the home account; NotPermitted else."""
    caller = http.caller_of(event)
    if caller.account not in {*broker.settings.trusted_accounts, broker.settings.home_account}:
        raise NotPermitted("your account is not trusted here")
    _no_body_on_get(event)
    return caller


def approver(event: dict[str, Any], broker: Broker) -> Caller:
    """The caller of a security route: of the home account, with an approver role; NotPermitted else.

    The role is told by its unique id: its name could be anybody's, its path is lost in STS ARNs.
    """
    caller, settings = http.caller_of(event), broker.settings
    if caller.account != settings.home_account or caller.unique_id not in settings.approver_role_ids:
        raise NotPermitted("this needs an approver role of the home account")
    _no_body_on_get(event)
    return caller


def _no_body_on_get(event: dict[str, Any]) -> None:
    if event["httpMethod"] == "GET":
        http.no_body(event)


def repeatable(event: dict[str, Any]) -> Repeatable:
    """The idempotency key and the digest of the body."""
    body = (event.get("body") or "").encode(errors="surrogatepass")
    return Repeatable(http.idempotency_key_of(event), hashlib.sha256(body).hexdigest())


def share_handlers(to: Logger) -> None:
    """Let the package's own loggers write through a function's logger: one format, one request id."""
    package = logging.getLogger("grant_broker")
    package.handlers, package.propagate = list(to.handlers), False
    package.setLevel(to.log_level)
