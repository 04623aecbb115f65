"""`grant-broker keys`: what may be asked for."""

import click

from grant_broker.client.api_command import Api, ApiCommand, DefaultGroup
from grant_broker.client.showing import print_offers


@click.group("keys", cls=DefaultGroup)
def command() -> None:
    """List the keys that you may ask for."""


@command.command("list", cls=ApiCommand)
@click.pass_obj
def list_offers(api: Api) -> None:
    """List what your account may ask for."""
    offers = list(api.client.list_keys())
    api.show(offers, lambda: print_offers(offers))
