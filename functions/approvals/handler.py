"""The security team: decide, revoke, approve ahead, set limits. Alone writes the approval table."""

import os
import re
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from grant_broker import init_phase
from grant_broker.api import cursors, lists, query, searches
from grant_broker.api.access_views import advice_view, report_view
from grant_broker.api.caller import ensure_approver
from grant_broker.api.connections import connect
from grant_broker.api.debt_view import debt_view
from grant_broker.api.headers import etag
from grant_broker.api.responses import Answer
from grant_broker.api.routing import Api, Call
from grant_broker.api.views import (
    account_view,
    approval_view,
    changed_key_view,
    checks_view,
    event_view,
    explanation_view,
    key_view,
    owed_view,
    progress_view,
    proposal_view,
    review_view,
    trail_view,
    votes_view,
)
from grant_broker.api.waiting import CHECK, PEOPLE, REVOCATION, retry_after_of
from grant_broker.approvals import accounts, mass_revocations, reviews, standing_approvals, votes
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.debt import find_debt
from grant_broker.approvals.recertify import Which
from grant_broker.approvals.review import reviewer
from grant_broker.approvals.revoke import revoke
from grant_broker.approvals.search_events import search_events, search_trail
from grant_broker.approvals.why import explain_call
from grant_broker.domain.accounts import AccountDocument
from grant_broker.domain.approvals import Approval, StandingApproval
from grant_broker.domain.arns import KEY, KEY_ID, key_id_of
from grant_broker.domain.decisions import Decision, Revocation
from grant_broker.domain.errors import Fault, InvalidRequest, NotFound
from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.keys import Key
from grant_broker.domain.mass_revocations import MassRevocationAsked
from grant_broker.domain.people import Caller
from grant_broker.domain.question import Question
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.reviews import Look
from grant_broker.keys import access, checks, key_policy, limits, register
from grant_broker.logs import share_handlers
from grant_broker.metrics import measurer, published
from grant_broker.settings import ApprovalsSettings

if TYPE_CHECKING:
    from grant_broker.api import security_shapes

logger = Logger()
share_handlers(logger)
metrics = Metrics()
measure = measurer(metrics)
# A replica of another Region has its Region before the id that it shares.
_KEY_ID = re.compile(rf"(?:[a-z0-9-]{{1,32}}:)?{KEY_ID.pattern}", re.ASCII)
_LIMITS = KeyDocument.model_fields.keys() - {"key_arn"}
_REQUEST_ID = re.compile(r"[0-9a-f]{32}")
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
# Of several lists, one after the other: which, and the place in it.
_PLACE_OF_REVIEWS = re.compile(rf"(?:{'|'.join(reviews.PARTS)})#(?:{cursors.LISTED.pattern})?")
_PAGED = ("limit", "cursor")
_JOBS_WITHIN = timedelta(seconds=15)  # of the function's 25 s
# A function that is not told all of it does not start.
settings = ApprovalsSettings.from_environment(os.environ)


@cache
def broker() -> ApprovalsBroker:
    """The broker of this function, made once a process."""
    return ApprovalsBroker.build(settings, measure=measure)


# In the init phase, which no caller waits for.
connect(broker(), os.environ)


def ensure_permitted(caller: Caller) -> None:
    """NotPermitted for who is no approver."""
    ensure_approver(caller, home_account=settings.home_account, role_ids=settings.approver_role_ids)


api = Api(ensure_permitted)


@api.route("GET", "/security/requests", parameters=(*searches.REQUESTS, *_PAGED))
def get_requests(call: Call) -> Answer:
    """Every account's requests."""
    search = searches.request_search(call.query, broker().store.find_key_named)
    review = reviewer(broker(), call.caller)
    find = partial(broker().store.lists.list_requests, search)
    return lists.answer_page(call, find, lambda request: review_view(review(request)))


@api.route("GET", "/security/requests/<request_id>")
def get_request(call: Call, request_id: str) -> Answer:
    """One request with what was found out about it, and its trail."""
    request = broker().store.get_request(request_id)
    view = trail_view(reviewer(broker(), call.caller)(request), broker().store.get_trail(request.subject))
    return Answer(200, view, retry_after=retry_after_of(request, broker().clock()))


@api.route("POST", "/security/requests/<request_id>/decision", takes_body=True)
def post_decision(call: Call, request_id: str) -> Answer:
    """Vote on a request."""
    request = votes.vote(broker(), call.caller, request_id, call.read(Decision), call.idempotency)
    return _answer_request(200, call, request)


@api.route("DELETE", "/security/requests/<request_id>/grant", takes_body=True)
@api.route("POST", "/security/requests/<request_id>/revocation", takes_body=True)
def revoke_request(call: Call, request_id: str) -> Answer:
    """Revoke now. The POST is for clients that cannot send a body with DELETE."""
    revocation = call.read(Revocation)
    revoked = revoke(broker(), request_id, by=call.caller.arn, reason=revocation.reason)
    return _answer_request(202, call, revoked)


@api.route("POST", "/security/requests/<request_id>/why", takes_body=True)
def post_why(call: Call, request_id: str) -> Answer:
    """Explain why KMS allows or refuses a call on a request's key."""
    explanation = explain_call(broker(), request_id, call.read(Question))
    return Answer(200, explanation_view(explanation))


@api.route("GET", "/security/approvals", parameters=_PAGED)
def get_approvals(call: Call) -> Answer:
    """Standing approvals."""
    get_key, find = cache(broker().store.get_key), broker().store.lists.list_approvals
    return lists.answer_page(
        call, find, lambda approval: _show_approval(call, approval, get_key(approval.key_arn))
    )


@api.route("POST", "/security/approvals", takes_body=True)
def post_approval(call: Call) -> Answer:
    """Approve ahead."""
    made = standing_approvals.create(broker(), call.caller, call.read(StandingApproval), call.idempotency)
    return _answer_approval(201, call, made.id, location=f"/security/approvals/{made.id}")


@api.route("GET", "/security/approvals/<approval_id>")
def get_approval(call: Call, approval_id: str) -> Answer:
    """One standing approval."""
    return _answer_approval(200, call, approval_id)


@api.route("POST", "/security/approvals/<approval_id>/decision", takes_body=True)
def post_approval_decision(call: Call, approval_id: str) -> Answer:
    """Vote on a standing approval."""
    standing_approvals.vote(broker(), call.caller, approval_id, call.read(Decision), call.idempotency)
    return _answer_approval(200, call, approval_id)


@api.route("DELETE", "/security/approvals/<approval_id>", parameters=("revoke_active",))
def delete_approval(call: Call, approval_id: str) -> Answer:
    """Withdraw a standing approval."""
    revoke_active = query.one_of(call.query, "revoke_active", ("true", "false")) == "true"
    standing_approvals.withdraw(broker(), call.caller, approval_id, revoke_active=revoke_active)
    return Answer(204)


@api.route("POST", "/security/revocations", takes_body=True)
def post_revocations(call: Call) -> Answer:
    """Block what is selected, and end all of it."""
    asked = call.read(MassRevocationAsked)
    made = mass_revocations.create(broker(), call.caller, asked, call.idempotency)
    location = f"/security/revocations/{made.id}"
    return Answer(202, {"id": made.id, "matched": made.matched}, location, retry_after=REVOCATION)


@api.route("GET", "/security/revocations", parameters=_PAGED)
def get_revocations(call: Call) -> Answer:
    """Mass revocations."""
    read = mass_revocations.progress_reader(broker())
    return lists.answer_page(call, broker().store.lists.list_revocations, lambda r: progress_view(read(r)))


@api.route("GET", "/security/revocations/<revocation_id>")
def get_revocation(_call: Call, revocation_id: str) -> Answer:
    """One mass revocation: how far it is, and what it blocks."""
    progress = mass_revocations.progress_reader(broker())(broker().store.get_revocation(revocation_id))
    return Answer(200, progress_view(progress), retry_after=REVOCATION if progress.left else None)


@api.route("DELETE", "/security/revocations/<revocation_id>")
def delete_revocation(call: Call, revocation_id: str) -> Answer:
    """Lift its block."""
    mass_revocations.lift(broker(), call.caller, revocation_id)
    return Answer(204)


@api.route("GET", "/security/keys", parameters=_PAGED)
def get_keys(call: Call) -> Answer:
    """Managed keys."""
    return lists.answer_page(
        call, broker().store.lists.list_keys, lambda key: key_view(key, may_decide=_decides_on(call, key))
    )


@api.route("GET", "/security/keys/<key_id>")
def get_key(call: Call, key_id: str) -> Answer:
    """One managed key."""
    key = register.get_open_key(broker(), _key_arn(key_id))
    return Answer(200, key_view(key, may_decide=_decides_on(call, key)), etag=etag(key.limits_version))


@api.route("PUT", "/security/keys/<key_id>", takes_body=True)
def put_key(call: Call, key_id: str) -> Answer:
    """Register a key or change its limits, all of them."""
    key_arn = _key_arn(key_id)
    required = _LIMITS if broker().store.find_key(key_arn) else ()
    document = call.read(KeyDocument, required=required, key_arn=key_arn)
    _ensure_named(document.key_arn, key_id)
    return _answer_limits(call, limits.put(broker(), _writer(call), document))


@api.route("PATCH", "/security/keys/<key_id>", takes_body=True)
def patch_key(call: Call, key_id: str) -> Answer:
    """Change some of a key's limits."""

    def change(present: KeyDocument) -> KeyDocument:
        document = call.read(KeyDocument, **present.model_dump(mode="json"))
        _ensure_named(document.key_arn, key_id)
        return document

    return _answer_limits(call, limits.patch(broker(), _writer(call), _key_arn(key_id), change))


@api.route("GET", "/security/keys/<key_id>/proposals")
def get_proposals(_call: Call, key_id: str) -> Answer:
    """The changes of a key's limits that wait for votes."""
    key = register.get_open_key(broker(), _key_arn(key_id))
    items = [
        proposal_view(each, key, limits.quorum_of(broker(), key))
        for each in limits.list_proposals(broker(), key)
    ]
    return Answer(200, {"items": items, "cursor": None})


@api.route("DELETE", "/security/keys/<key_id>")
def delete_key(call: Call, key_id: str) -> Answer:
    """Close a key to new grants."""
    register.withdraw(broker(), call.caller, _key_arn(key_id))
    return Answer(204)


@api.route("GET", "/security/keys/<key_id>/access", parameters=_PAGED)
def get_access(call: Call, key_id: str) -> Answer:
    """Who can use or manage a key, and by what."""
    key_arn = broker().store.get_key(_key_arn(key_id)).document.key_arn
    bound, limit = cursors.binding(call.caller, call.route, call.query), query.limit_of(call.query)
    place = cursors.read(call.query.get("cursor"), bound, form=access.PLACE)
    if place is None:
        page = access.get_first_page(broker(), key_arn, limit=limit)
    else:
        page = access.get_next_page(broker(), key_arn, limit=limit, after=access.AccessPlace.read(place))
    after = page.after.text if page.after else None
    return Answer(200, report_view(page.entries, page.report, cursor=cursors.write(bound, after)))


@api.route("GET", "/security/keys/<key_id>/check")
def get_check(_call: Call, key_id: str) -> Answer:
    """Whether the broker could create and end grants on a key when it last tried."""
    key = broker().store.get_key(_key_arn(key_id))
    return Answer(200, checks_view(checks.find_checks(broker().store, key.document.key_arn)))


@api.route("POST", "/security/keys/<key_id>/check")
def post_check(_call: Call, key_id: str) -> Answer:
    """Have a key checked within a minute."""
    return Answer(202, checks_view(register.check_now(broker(), _key_arn(key_id))), retry_after=CHECK)


@api.route("GET", "/security/keys/<key_id>/policy", parameters=("key_arn",))
def get_key_policy(call: Call, key_id: str) -> Answer:
    """What the policy of a key must say for the broker; of one that is not registered, by its ARN."""
    if key_arn := query.matching(call.query, "key_arn", KEY.fullmatch):
        _ensure_named(key_arn, key_id)
    else:
        key_arn = broker().store.get_key(_key_arn(key_id)).document.key_arn
    operations = settings.grantable_operations
    return Answer(200, advice_view(key_policy.get_advice(broker().kms, settings.roles, operations, key_arn)))


@api.route("GET", "/security/events", parameters=("request", *searches.EVENTS, *_PAGED))
def get_events(call: Call) -> Answer:
    """The audit trail, oldest first unless newest are asked for first."""
    search = searches.event_search(call.query, broker().store.find_key_named)
    if request_id := query.matching(call.query, "request", _REQUEST_ID.fullmatch):
        return lists.answer_page(call, partial(search_trail, broker().store, request_id, search), event_view)
    return lists.answer_page(call, partial(search_events, broker().store, search), event_view)


@api.route("GET", "/security/debt")
def get_debt(_call: Call) -> Answer:
    """What falls due, and how late it would come."""
    return Answer(200, debt_view(find_debt(broker())))


@api.route("GET", "/security/accounts", parameters=_PAGED)
def get_accounts(call: Call) -> Answer:
    """Accounts that are named."""
    return lists.answer_page(call, broker().store.lists.list_accounts, account_view)


@api.route("GET", "/security/accounts/<account>")
def get_account(_call: Call, account: str) -> Answer:
    """What is said of an account."""
    found = accounts.get(broker(), _account_id(account))
    return Answer(200, account_view(found), etag=etag(found.version))


@api.route("PUT", "/security/accounts/<account>", takes_body=True)
def put_account(call: Call, account: str) -> Answer:
    """Name an account, and say where its events go."""
    document = call.read(AccountDocument, account=_account_id(account))
    if document.account != account:
        raise InvalidRequest(Fault("account", "not the account in the path"))
    named = accounts.put(broker(), call.caller, document, call.if_match)
    view = account_view(named.account)
    return Answer(201 if named.made else 200, view, etag=etag(named.account.version))


@api.route("DELETE", "/security/accounts/<account>")
def delete_account(call: Call, account: str) -> Answer:
    """Take an account's entry away."""
    accounts.delete(broker(), call.caller, _account_id(account))
    return Answer(204)


@api.route("GET", "/security/reviews", parameters=_PAGED)
def get_reviews(call: Call) -> Answer:
    """Reviews that are owed."""
    find = partial(reviews.list_owed, broker(), call.caller)
    return lists.answer_page(call, find, _show_review, form=_PLACE_OF_REVIEWS)


@api.route("POST", "/security/reviews/<kind>/<review_id>", takes_body=True)
def post_review(call: Call, kind: str, review_id: str) -> Answer:
    """Sign off what somebody else did."""
    look = call.read(Look)
    return Answer(
        200,
        _show_review(reviews.sign_off(broker(), call.caller, Which(kind, review_id), look, call.idempotency)),
    )


def _show_review(seen: reviews.ReviewSeen) -> "security_shapes.Review":
    return owed_view(seen.owed, seen.signed, may_decide=seen.may_decide)


def _account_id(account: str) -> str:
    if not _ACCOUNT_ID.fullmatch(account):
        raise NotFound("there is no such account: give 12 digits")
    return account


def _decides_on(call: Call, key: Key) -> bool:
    return limits.may_write(broker(), call.caller, key)


def _show_approval(call: Call, approval: Approval, key: Key) -> "security_shapes.Approval":
    return approval_view(
        approval,
        quorum=broker().settings.quorum(key.document),
        now=broker().clock(),
        may_decide=standing_approvals.decides_on(broker(), call.caller, approval, key),
    )


def _answer_request(status: int, call: Call, request: GrantRequest) -> Answer:
    view = review_view(reviewer(broker(), call.caller)(request))
    return Answer(status, view, retry_after=retry_after_of(request, broker().clock()))


def _answer_approval(status: int, call: Call, approval_id: str, *, location: str | None = None) -> Answer:
    view = _show_approval(call, *standing_approvals.get_with_key(broker(), approval_id))
    return Answer(status, view, location, PEOPLE if view["status"] == "pending" else None)


def _key_arn(key_id: str) -> str:
    if not _KEY_ID.fullmatch(key_id):
        raise NotFound("there is no such key")
    return register.get_key_arn(broker(), key_id.lower())


def _ensure_named(key_arn: str, key_id: str) -> None:
    if key_id_of(key_arn) != key_id.lower().rpartition(":")[2]:
        raise InvalidRequest(Fault("key_arn", "not the key in the path"))


def _writer(call: Call) -> limits.Writer:
    return limits.Writer(call.caller, call.if_match)


def _answer_limits(call: Call, outcome: limits.Outcome) -> Answer:
    if outcome.key is None:
        return Answer(202, votes_view(outcome), retry_after=PEOPLE)
    decides = _decides_on(call, outcome.key)
    view = changed_key_view(outcome.key, outcome.comparison, may_decide=decides)
    return Answer(201 if outcome.opened else 200, view, etag=etag(outcome.key.limits_version))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One API call, or the minute's work on mass revocations that are not done."""
    with published(metrics):
        if event.get("job") == "revocations":
            return {"jobs": mass_revocations.run(broker(), _JOBS_WITHIN)}
        return api.resolve(event, context)


init_phase.end()
