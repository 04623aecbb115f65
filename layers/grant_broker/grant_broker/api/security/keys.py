"""Managed keys: their limits, who can use them, and whether the broker can work on them."""

import re
from functools import partial

from grant_broker.api import cursors, lists, query
from grant_broker.api.headers import etag
from grant_broker.api.responses import Answer
from grant_broker.api.routing import Call, Routes
from grant_broker.api.usage import find_usage
from grant_broker.api.views.access import advice_view, report_view
from grant_broker.api.views.keys import changed_key_view, checks_view, key_view, proposal_view, votes_view
from grant_broker.api.waiting import CHECK, PEOPLE
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.domain.arns import KEY, KEY_ID, key_id_of, region_of
from grant_broker.domain.errors import Fault, InvalidRequest, NotFound
from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.keys import Key
from grant_broker.keys import access, checks, key_policy, limits, register

routes = Routes[ApprovalsBroker]()
# A replica of another Region has its Region before the id that it shares.
_KEY_ID = re.compile(rf"(?:[a-z0-9-]{{1,32}}:)?{KEY_ID.pattern}", re.ASCII)
_LIMITS = KeyDocument.model_fields.keys() - {"key_arn"}


@routes.route("GET", "/security/keys", parameters=query.PAGED)
def get_keys(broker: ApprovalsBroker, call: Call) -> Answer:
    """Managed keys."""
    return lists.answer_page(
        call,
        broker.store.lists.list_keys,
        lambda key: key_view(key, may_decide=_decides_on(broker, call, key)),
    )


@routes.route("GET", "/security/keys/<key_id>")
def get_key(broker: ApprovalsBroker, call: Call, key_id: str) -> Answer:
    """One managed key."""
    key = register.get_open_key(broker, _key_arn(broker, key_id))
    return Answer(
        200, key_view(key, may_decide=_decides_on(broker, call, key)), etag=etag(key.limits_version)
    )


@routes.route("PUT", "/security/keys/<key_id>", takes_body=True)
def put_key(broker: ApprovalsBroker, call: Call, key_id: str) -> Answer:
    """Register a key or change its limits, all of them."""
    key_arn = _key_arn(broker, key_id)
    required = _LIMITS if broker.store.find_key(key_arn) else ()
    document = call.read(KeyDocument, required=required, key_arn=key_arn)
    _ensure_named(document.key_arn, key_id)
    outcome = limits.put(broker, _writer(call), document)
    answer = _answer_limits(broker, call, outcome)
    return answer._replace(status=201, location=f"/security/keys/{key_id}") if outcome.opened else answer


@routes.route("PATCH", "/security/keys/<key_id>", takes_body=True)
def patch_key(broker: ApprovalsBroker, call: Call, key_id: str) -> Answer:
    """Change some of a key's limits."""

    def change(present: KeyDocument) -> KeyDocument:
        document = call.read(KeyDocument, **present.model_dump(mode="json"))
        if document.key_arn != present.key_arn:
            raise InvalidRequest(Fault("key_arn", "not the key in the path"))
        return document

    return _answer_limits(broker, call, limits.patch(broker, _writer(call), _key_arn(broker, key_id), change))


@routes.route("GET", "/security/keys/<key_id>/proposals", parameters=query.PAGED)
def get_proposals(broker: ApprovalsBroker, call: Call, key_id: str) -> Answer:
    """The changes of a key's limits that wait for votes."""
    key = register.get_open_key(broker, _key_arn(broker, key_id))
    quorum = limits.quorum_of(broker, key)
    find = partial(limits.list_proposals, broker, key)
    return lists.answer_page(call, find, lambda proposal: proposal_view(proposal, key, quorum))


@routes.route("DELETE", "/security/keys/<key_id>")
def delete_key(broker: ApprovalsBroker, call: Call, key_id: str) -> Answer:
    """Close a key to new grants."""
    register.withdraw(broker, call.caller, _key_arn(broker, key_id))
    return Answer(204)


@routes.route("GET", "/security/keys/<key_id>/access", parameters=query.PAGED)
def get_access(broker: ApprovalsBroker, call: Call, key_id: str) -> Answer:
    """Who can use or manage a key, and by what."""
    key_arn = broker.store.get_key(_key_arn(broker, key_id)).document.key_arn
    bound, limit = cursors.binding(call.caller, call.route, call.query), query.limit_of(call.query)
    place = cursors.read(call.query.get("cursor"), bound, form=access.PLACE)
    if place is None:
        page = access.get_first_page(broker, key_arn, limit=limit)
    else:
        page = access.get_next_page(broker, key_arn, limit=limit, after=access.AccessPlace.read(place))
    after = page.after.text if page.after else None
    usage = find_usage(broker, [each.through.request_id for each in page.entries if each.through.request_id])
    return Answer(200, report_view(page, usage, cursor=cursors.write(bound, after)))


@routes.route("GET", "/security/keys/<key_id>/check")
def get_check(broker: ApprovalsBroker, _call: Call, key_id: str) -> Answer:
    """Whether the broker could create and end grants on a key when it last tried."""
    key = broker.store.get_key(_key_arn(broker, key_id))
    return Answer(200, checks_view(checks.find_checks(broker.store, key.document.key_arn)))


@routes.route("POST", "/security/keys/<key_id>/check")
def post_check(broker: ApprovalsBroker, _call: Call, key_id: str) -> Answer:
    """Have a key checked within a minute."""
    return Answer(202, checks_view(register.check_now(broker, _key_arn(broker, key_id))), retry_after=CHECK)


@routes.route("GET", "/security/keys/<key_id>/policy", parameters=("key_arn",))
def get_key_policy(broker: ApprovalsBroker, call: Call, key_id: str) -> Answer:
    """What the policy of a key must say for the broker; of one that is not registered, by its ARN."""
    if key_arn := query.matching(call.query, "key_arn", KEY.fullmatch):
        _ensure_named(key_arn, key_id)
        register.ensure_region(broker, key_arn)
    else:
        key_arn = broker.store.get_key(_key_arn(broker, key_id)).document.key_arn
    operations = broker.settings.grantable_operations
    return Answer(
        200, advice_view(key_policy.get_advice(broker.kms, broker.settings.roles, operations, key_arn))
    )


def _decides_on(broker: ApprovalsBroker, call: Call, key: Key) -> bool:
    return limits.may_write(broker, call.caller, key)


def _key_arn(broker: ApprovalsBroker, key_id: str) -> str:
    if not _KEY_ID.fullmatch(key_id):
        raise NotFound("there is no such key")
    return register.get_key_arn(broker, key_id.lower())


def _ensure_named(key_arn: str, key_id: str) -> None:
    region, _, bare = key_id.lower().rpartition(":")
    if key_id_of(key_arn) != bare or region not in {"", region_of(key_arn)}:
        raise InvalidRequest(Fault("key_arn", "not the key in the path"))


def _writer(call: Call) -> limits.Writer:
    return limits.Writer(call.caller, call.if_match)


def _answer_limits(broker: ApprovalsBroker, call: Call, outcome: limits.Outcome) -> Answer:
    if outcome.key is None:
        return Answer(202, votes_view(outcome), retry_after=PEOPLE)
    decides = _decides_on(broker, call, outcome.key)
    view = changed_key_view(outcome.key, outcome.comparison, may_decide=decides)
    return Answer(200, view, etag=etag(outcome.key.limits_version))
