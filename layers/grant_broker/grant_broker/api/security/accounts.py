"""Accounts: name them, and say where their events go."""

from grant_broker.api import lists, query
from grant_broker.api.headers import etag
from grant_broker.api.responses import Answer
from grant_broker.api.routing import Call, Routes
from grant_broker.api.views.accounts import account_view
from grant_broker.approvals import accounts
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.domain.accounts import AccountDocument
from grant_broker.domain.arns import ACCOUNT
from grant_broker.domain.errors import Fault, InvalidRequest, NotFound

routes = Routes[ApprovalsBroker]()


@routes.route("GET", "/security/accounts", parameters=query.PAGED)
def get_accounts(broker: ApprovalsBroker, call: Call) -> Answer:
    """Accounts that are named."""
    return lists.answer_page(call, broker.store.lists.list_accounts, account_view)


@routes.route("GET", "/security/accounts/<account>")
def get_account(broker: ApprovalsBroker, _call: Call, account: str) -> Answer:
    """What is said of an account."""
    found = accounts.get(broker, _account_id(account))
    return Answer(200, account_view(found), etag=etag(found.version))


@routes.route("PUT", "/security/accounts/<account>", takes_body=True)
def put_account(broker: ApprovalsBroker, call: Call, account: str) -> Answer:
    """Name an account, and say where its events go."""
    document = call.read(AccountDocument, account=_account_id(account))
    if document.account != account:
        raise InvalidRequest(Fault("account", "not the account in the path"))
    named = accounts.put(broker, call.caller, document, call.if_match)
    view = account_view(named.account)
    version = etag(named.account.version)
    if named.made:
        return Answer(201, view, location=f"/security/accounts/{account}", etag=version)
    return Answer(200, view, etag=version)


@routes.route("DELETE", "/security/accounts/<account>")
def delete_account(broker: ApprovalsBroker, call: Call, account: str) -> Answer:
    """Take an account's entry away."""
    accounts.delete(broker, call.caller, _account_id(account))
    return Answer(204)


def _account_id(account: str) -> str:
    if not ACCOUNT.fullmatch(account):
        raise NotFound("there is no such account: give 12 digits")
    return account
