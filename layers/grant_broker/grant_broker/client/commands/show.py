"""`grant-broker show`: one request as the security team sees it."""

import click

from grant_broker.client.account_editing import find_account
from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.reviewing import print_seen_request
from grant_broker.client.tables import print_events


@click.command("show", cls=ApiCommand)
@click.argument("request_id", metavar="ID")
@click.pass_obj
def command(api: Api, *, request_id: str) -> None:
    """Show a request with what was found out about it, and its trail."""
    request = api.client.security.get_request(request_id)

    def print_it() -> None:
        account = find_account(api, request["requester"]["account"])
        print_seen_request(request, account, api.managed_names)
        print()
        print_events(request["trail"])

    api.show(request, print_it)
