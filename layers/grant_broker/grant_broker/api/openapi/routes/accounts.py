"""Accounts: name them, and say where their events go."""

from grant_broker.api.openapi.routes.operation import Operation
from grant_broker.api.query import PAGED
from grant_broker.api.shapes.accounts import NamedAccount
from grant_broker.api.shapes.third_parties import Page
from grant_broker.domain.accounts import AccountDocument

_ACCOUNT = "/security/accounts/{account}"

ACCOUNTS = (
    Operation(
        "get_accounts",
        "GET",
        "/security/accounts",
        "The accounts that are named, newest first.",
        {200: Page[NamedAccount]},
        query=PAGED,
    ),
    Operation("get_account", "GET", _ACCOUNT, "What is said of an account.", {200: NamedAccount}),
    Operation(
        "put_account",
        "PUT",
        _ACCOUNT,
        "Name a trusted account, whom to ask, and where its own requests' events go.",
        {200: NamedAccount, 201: NamedAccount},
        body=AccountDocument,
        conflicts=True,
        conditional=True,
    ),
    Operation(
        "delete_account",
        "DELETE",
        _ACCOUNT,
        "Take an account's entry away; its events go to no bus any more.",
        {204: None},
        conflicts=True,
    ),
)
