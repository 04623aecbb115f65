"""`grant-broker deny`: vote against a request."""

import click

from grant_broker.client.api_command import Api, ApiCommand, yes_option
from grant_broker.client.reviewing import print_seen_request


@click.command("deny", cls=ApiCommand)
@click.argument("request_id", metavar="ID")
@click.option("--comment", required=True, help="Why, for the requester and the trail.")
@yes_option
@click.pass_obj
def command(api: Api, *, request_id: str, comment: str, yes: bool) -> None:
    """Deny a request, which is final whatever the quorum."""
    api.confirm(f"Deny request {request_id} for good?", yes=yes)
    request = api.client.security.deny(request_id, comment=comment)
    api.show(request, lambda: print_seen_request(request))
