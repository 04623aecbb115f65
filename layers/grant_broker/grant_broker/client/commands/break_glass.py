"""`grant-broker break-glass`: be granted a pending request at once, in an emergency."""

import click

from grant_broker.client.api_command import Api, ApiCommand, yes_option
from grant_broker.client.showing import print_request


@click.command("break-glass", cls=ApiCommand)
@click.argument("request_id", metavar="ID")
@click.option("--reason", required=True, help="Why nobody can be waited for.")
@yes_option
@click.pass_obj
def command(api: Api, *, request_id: str, reason: str, yes: bool) -> None:
    """Be granted a pending request at once, in an emergency.

    Only for whom the key's limits name. The security team is told at once, and somebody must review it.
    """
    api.confirm(f"Break the glass for {request_id}? It sounds an alarm.", yes=yes)
    granted = api.client.break_glass(request_id, reason=reason)
    api.show(granted, lambda: print_request(granted))
