"""`grant-broker release`: end what one has asked for."""

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.showing import print_request


@click.command("release", cls=ApiCommand)
@click.argument("request_id", metavar="ID")
@click.pass_obj
def command(api: Api, *, request_id: str) -> None:
    """Release a grant before its time, or withdraw a request that has none yet."""
    request = api.client.end(request_id)
    api.show(request, lambda: print_request(request))
