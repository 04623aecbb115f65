"""`grant-broker extend`: go on with a grant."""

from datetime import timedelta

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.arguments import ISO_SPAN, SPAN
from grant_broker.client.commands.wait import wait_for_grant
from grant_broker.client.showing import print_request


@click.command("extend", cls=ApiCommand)
@click.argument("request_id", metavar="ID")
@click.option("--for", "duration", type=ISO_SPAN, required=True, help="From its taking up on, such as 2h.")
@click.option("--reason", help="Why, for the security team; else that of the request.")
@click.option("--wait", is_flag=True, help="Wait for the security team, and take the grant up.")
@click.option("--timeout", type=SPAN, default="1d", show_default=True, help="How long to wait at most.")
@click.pass_obj
def command(
    api: Api, *, request_id: str, duration: str, reason: str | None, wait: bool, timeout: timedelta
) -> None:
    """Ask to go on with an active grant, without a gap.

    It is a request of its own, approved like any other. Its grant begins when it is taken up and must end
    after the old one, which ends at its own time.
    """
    reason = reason or api.client.get_request(request_id)["reason"]
    request = api.client.extend(request_id, duration=duration, reason=reason)
    if wait and request["status"] != "active":
        api.say(f"asked: {request['id']}")
        request = wait_for_grant(api, request["id"], timeout, take_up=True)
    api.show(request, lambda: print_request(request))
