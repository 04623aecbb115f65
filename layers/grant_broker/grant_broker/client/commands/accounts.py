"""`grant-broker accounts`: what people call partners' accounts, whom to ask, and where their events go."""

from typing import Unpack

import click

from grant_broker.client.account_editing import Given, put_fields
from grant_broker.client.api_command import Api, ApiCommand, DefaultGroup, yes_option
from grant_broker.client.tables import print_accounts


@click.group("accounts", cls=DefaultGroup)
def command() -> None:
    """Name the partners' accounts, whom to ask, and where their events go."""


@command.command("list", cls=ApiCommand)
@click.pass_obj
def list_them(api: Api) -> None:
    """List the accounts that are named, newest first."""
    accounts = list(api.client.security.list_accounts())
    api.show(accounts, lambda: print_accounts(accounts))


@command.command("show", cls=ApiCommand)
@click.argument("account")
@click.pass_obj
def show(api: Api, *, account: str) -> None:
    """Show what is said of one account."""
    found, _ = api.client.security.get_account(account)
    api.show(found, lambda: print_accounts([found]))


@command.command("set", cls=ApiCommand)
@click.argument("account")
@click.option("--name", help="What people call it; an account that is new needs one.")
@click.option("--contact", help="Whom to ask. Empty: nobody.")
@click.option("--event-bus", metavar="ARN", help="Where its own requests' events go. Empty: nowhere.")
@click.pass_obj
def set_fields(api: Api, *, account: str, **given: Unpack[Given]) -> None:
    """Name a trusted account, or change what is said of it; what is not given stays."""
    entry = put_fields(api, account, given)
    api.show(entry, lambda: print_accounts([entry]))


@command.command("remove", cls=ApiCommand)
@click.argument("account")
@yes_option
@click.pass_obj
def remove(api: Api, *, account: str, yes: bool) -> None:
    """Take an account's entry away: it is known by its id alone, and its events go to no bus any more."""
    api.confirm(f"Take the entry of {account} away? Its events go to no bus any more.", yes=yes)
    api.client.security.delete_account(account)
    api.say(f"removed: {account}")
