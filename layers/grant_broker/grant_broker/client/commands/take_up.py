"""`grant-broker take-up`: begin the time of an approved request."""

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.showing import print_request


@click.command("take-up", cls=ApiCommand)
@click.argument("request_id", metavar="ID")
@click.pass_obj
def command(api: Api, *, request_id: str) -> None:
    """Take an approved request up: its time starts now. Repeated, the same grant."""
    request = api.client.take_up(request_id)
    api.show(request, lambda: print_request(request))
