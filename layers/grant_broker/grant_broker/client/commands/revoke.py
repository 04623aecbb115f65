"""`grant-broker revoke`: take a grant back."""

import click

from grant_broker.client.api_command import Api, ApiCommand, yes_option
from grant_broker.client.reviewing import print_seen_request


@click.command("revoke", cls=ApiCommand)
@click.argument("request_id", metavar="ID")
@click.option("--reason", required=True, help="Why, for the requester and the trail.")
@yes_option
@click.pass_obj
def command(api: Api, *, request_id: str, reason: str, yes: bool) -> None:
    """Take a grant back now, or what was approved and not taken up."""
    api.confirm(f"End the access of request {request_id} now?", yes=yes)
    request = api.client.security.revoke(request_id, reason=reason)
    api.show(request, lambda: print_seen_request(request))
