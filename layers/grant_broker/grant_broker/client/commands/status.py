"""`grant-broker status`: one's own requests."""

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.showing import print_request, print_requests
from grant_broker.domain.lifecycle import Status

# Their values: of members click takes the values or the names, by its version.
_STATUSES = [status.value for status in Status]


@click.command("status", cls=ApiCommand)
@click.argument("request_id", metavar="[ID]", required=False)
@click.option("--status", type=click.Choice(_STATUSES), help="Of the list, only these.")
@click.pass_obj
def command(api: Api, *, request_id: str | None, status: str | None) -> None:
    """Show one request, or list those of your account, newest first."""
    if request_id:
        request = api.client.get_request(request_id)
        api.show(request, lambda: print_request(request, api.offered_names))
        return
    requests = list(api.client.list_requests(status=status))
    api.show(requests, lambda: print_requests(requests, api.offered_names))
