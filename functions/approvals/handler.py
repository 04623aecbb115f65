"""The security team: decide, revoke, approve ahead, set limits. Alone writes the approval table."""

import os
import re
from dataclasses import replace
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from grant_broker.api import cursors, http, lists
from grant_broker.api.problems import Answer
from grant_broker.api.routing import approver, event_of, repeatable, resolver, respond, share_handlers
from grant_broker.api.views import approval_view, key_view, list_view, preflight_view, request_view
from grant_broker.approvals import standing_approvals as standing
from grant_broker.approvals import votes as decisions
from grant_broker.aws.clients import reading_kms_client
from grant_broker.aws.kms import Kms
from grant_broker.broker import Broker
from grant_broker.domain.approvals import StandingApproval
from grant_broker.domain.decisions import Decision, Revocation
from grant_broker.domain.errors import Fault, InvalidRequest
from grant_broker.domain.keys import KeyDocument
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.people import Caller
from grant_broker.domain.times import parse_time
from grant_broker.events import trail as audit
from grant_broker.keys import access, checks
from grant_broker.keys import register as managed_keys

logger = Logger()
share_handlers(logger)
app = resolver()
_KEY_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]{1,64}", re.ASCII)
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


@cache
def broker() -> Broker:
    """The broker of this function, made once a process."""
    made = Broker.from_environment(os.environ)
    return replace(made, kms=Kms(reading_kms_client()))


@app.get("/security/requests")
def get_requests() -> Response[str]:
    """Every account's requests."""
    caller, query = _asked("status", "key", "account", "limit", "cursor")
    status = http.one_of(query, "status", Status)
    key = http.matching(query, "key", _KEY_ARN.fullmatch)
    account = http.matching(query, "account", _ACCOUNT.fullmatch)
    bound = cursors.binding(caller, "GET /security/requests", query)
    after = cursors.read(query.get("cursor"), bound)
    found, after = lists.all_requests(
        broker(), status=status, key=key, account=account, limit=http.limit_of(query), after=after
    )
    views = [request_view(request) for request in found]
    return respond(Answer(200, list_view(views, cursors.write(bound, after))))


@app.get("/security/requests/<request_id>")
def get_request(request_id: str) -> Response[str]:
    """One request with what was found out about it, and its trail."""
    _asked()
    request = decisions.found(broker(), request_id)
    trail = [audit.shown(event) for event in broker().store.trail(request.subject)]
    return respond(
        Answer(200, {**request_view(request), "preflight": preflight_view(request), "trail": trail})
    )


@app.post("/security/requests/<request_id>/decision")
def post_decision(request_id: str) -> Response[str]:
    """Vote on a request."""
    caller, _ = _asked()
    event = event_of(app)
    decision = http.read(Decision, event)
    request = decisions.decide(broker(), caller, request_id, decision, repeatable(event))
    return respond(Answer(200, request_view(request)))


@app.delete("/security/requests/<request_id>/grant")
def delete_grant(request_id: str) -> Response[str]:
    """Revoke now."""
    caller, _ = _asked()
    revocation = http.read(Revocation, event_of(app))
    request = decisions.found(broker(), request_id)
    revoked = decisions.revoke(broker(), request, by=caller.arn, reason=revocation.reason)
    return respond(Answer(202, request_view(revoked)))


@app.get("/security/approvals")
def get_approvals() -> Response[str]:
    """Standing approvals."""
    caller, query = _asked("limit", "cursor")
    bound = cursors.binding(caller, "GET /security/approvals", query)
    after = cursors.read(query.get("cursor"), bound)
    found, after = lists.standing_approvals(broker(), limit=http.limit_of(query), after=after)
    quorum = cache(lambda key_arn: managed_keys.registered(broker(), key_arn).document.quorum)
    now = broker().clock()
    views = [approval_view(approval, quorum=quorum(approval.key_arn), now=now) for approval in found]
    return respond(Answer(200, list_view(views, cursors.write(bound, after))))


@app.post("/security/approvals")
def post_approval() -> Response[str]:
    """Approve ahead."""
    caller, _ = _asked()
    event = event_of(app)
    asked = http.read(StandingApproval, event)
    made = standing.create(broker(), caller, asked, repeatable(event))
    location = {"Location": f"/security/approvals/{made.id}"}
    return respond(Answer(201, _approval(made.id), headers=location))


@app.get("/security/approvals/<approval_id>")
def get_approval(approval_id: str) -> Response[str]:
    """One standing approval."""
    _asked()
    return respond(Answer(200, _approval(approval_id)))


@app.post("/security/approvals/<approval_id>/decision")
def post_approval_decision(approval_id: str) -> Response[str]:
    """Vote on a standing approval."""
    caller, _ = _asked()
    event = event_of(app)
    decision = http.read(Decision, event)
    standing.decide(broker(), caller, approval_id, decision, repeatable(event))
    return respond(Answer(200, _approval(approval_id)))


@app.delete("/security/approvals/<approval_id>")
def delete_approval(approval_id: str) -> Response[str]:
    """Withdraw a standing approval."""
    caller, query = _asked("revoke_active")
    revoke_active = http.one_of(query, "revoke_active", ("true", "false")) == "true"
    standing.withdraw(broker(), caller, approval_id, revoke_active=revoke_active)
    return respond(Answer(204))


@app.get("/security/keys")
def get_keys() -> Response[str]:
    """Managed keys."""
    caller, query = _asked("limit", "cursor")
    bound = cursors.binding(caller, "GET /security/keys", query)
    after = cursors.read(query.get("cursor"), bound)
    found, after = lists.keys(broker(), limit=http.limit_of(query), after=after)
    return respond(Answer(200, list_view([key_view(key) for key in found], cursors.write(bound, after))))


@app.get("/security/keys/<key_id>")
def get_key(key_id: str) -> Response[str]:
    """One managed key."""
    _asked()
    return respond(Answer(200, key_view(managed_keys.found(broker(), _key_arn(key_id)))))


@app.put("/security/keys/<key_id>")
def put_key(key_id: str) -> Response[str]:
    """Register a key or change its limits."""
    caller, _ = _asked()
    document = http.read(KeyDocument, event_of(app), key_arn=_key_arn(key_id))
    if document.key_arn.rpartition("/")[2] != key_id:
        raise InvalidRequest(Fault("key_arn", "not the key in the path"))
    known = broker().store.key(document.key_arn)
    key, votes = managed_keys.put(broker(), caller, document)
    if key is None:
        quorum = known.document.quorum if known else 1
        return respond(Answer(202, {"votes": votes, "quorum": quorum}))
    return respond(Answer(200 if known and known.open else 201, key_view(key)))


@app.delete("/security/keys/<key_id>")
def delete_key(key_id: str) -> Response[str]:
    """Close a key to new grants."""
    caller, _ = _asked()
    managed_keys.withdraw(broker(), caller, _key_arn(key_id))
    return respond(Answer(204))


@app.get("/security/keys/<key_id>/access")
def get_access(key_id: str) -> Response[str]:
    """Who can use or manage a key, and by what."""
    caller, query = _asked("limit", "cursor")
    key_arn = managed_keys.registered(broker(), _key_arn(key_id)).document.key_arn
    bound = cursors.binding(caller, "GET /security/keys/{key_id}/access", {**query, "key": key_arn})
    after, limit = cursors.read(query.get("cursor"), bound, form=cursors.MARKER), http.limit_of(query)
    if after is None:
        view, after = access.first_page(broker(), key_arn, limit=limit)
    else:
        view, after = access.next_page(broker(), key_arn, limit=limit, after=after)
    return respond(Answer(200, {**view, "cursor": cursors.write(bound, after)}))


@app.get("/security/keys/<key_id>/check")
def get_check(key_id: str) -> Response[str]:
    """Whether the broker could create and end grants on a key when it last tried."""
    _asked()
    key = managed_keys.registered(broker(), _key_arn(key_id))
    return respond(Answer(200, checks.view(checks.of_key(broker(), key.document.key_arn))))


@app.post("/security/keys/<key_id>/check")
def post_check(key_id: str) -> Response[str]:
    """Have a key checked within a minute."""
    _asked()
    repeatable(event_of(app))
    found = managed_keys.check_now(broker(), _key_arn(key_id))
    return respond(Answer(202, checks.view(found)))


@app.get("/security/keys/<key_id>/policy")
def get_key_policy(key_id: str) -> Response[str]:
    """What the policy of a key must say for the broker; of one that is not registered, by its ARN."""
    _, query = _asked("key_arn")
    key_arn = http.matching(query, "key_arn", _KEY_ARN.fullmatch)
    if key_arn and not key_arn.endswith(f":key/{key_id}"):
        raise InvalidRequest(Fault("key_arn", "not the key in the path"))
    key_arn = key_arn or managed_keys.registered(broker(), _key_arn(key_id)).document.key_arn
    return respond(Answer(200, access.policy_advice(broker(), key_arn)))


@app.get("/security/events")
def get_events() -> Response[str]:
    """The audit trail, oldest first."""
    caller, query = _asked("since", "limit", "cursor")
    bound = cursors.binding(caller, "GET /security/events", query)
    since = http.time_of(query, "since", parse_time)
    after = cursors.read(query.get("cursor"), bound)
    found = audit.events_since(broker(), since=since, limit=http.limit_of(query), after=after)
    views = [audit.shown(event) for event in found.events]
    return respond(Answer(200, list_view(views, cursors.write(bound, found.after))))


def _asked(*parameters: str) -> tuple[Caller, dict[str, str]]:
    event = event_of(app)
    return approver(event, broker()), http.query_of(event, *parameters)


def _approval(approval_id: str) -> dict[str, Any]:
    approval, key = standing.found(broker(), approval_id)
    return approval_view(approval, quorum=key.document.quorum, now=broker().clock())


def _key_arn(key_id: str) -> str:
    if not _KEY_ID.fullmatch(key_id):
        raise InvalidRequest(Fault("key_id", "the last part of a key's ARN"))
    return managed_keys.arn_of(broker(), key_id)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One API call."""
    return app.resolve(event, context)
