"""`grant-broker approve`: vote for a request."""

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.arguments import ISO_SPAN
from grant_broker.client.reviewing import print_seen_request


@click.command("approve", cls=ApiCommand)
@click.argument("request_id", metavar="ID")
@click.option(
    "--for", "duration", type=ISO_SPAN, help="For this long at most, such as 1h; never longer than asked for."
)
@click.option("--comment", default="", help="For the requester and the trail.")
@click.pass_obj
def command(api: Api, *, request_id: str, duration: str | None, comment: str) -> None:
    """Vote for a request, as it is or shortened."""
    request = api.client.security.approve(request_id, comment=comment, duration=duration)
    api.show(request, lambda: print_seen_request(request))
