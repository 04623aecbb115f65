"""`grant-broker wait`: until the security team has decided."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.arguments import SPAN
from grant_broker.client.errors import NotGrantedError
from grant_broker.client.printing import working
from grant_broker.client.showing import print_request

if TYPE_CHECKING:
    from grant_broker.api.shapes.third_parties import Request


@click.command("wait", cls=ApiCommand)
@click.argument("request_id", metavar="ID")
@click.option("--timeout", type=SPAN, default="1d", show_default=True, help="For how long at most.")
@click.option("--take-up", is_flag=True, help="Take the grant up once it is approved.")
@click.pass_obj
def command(api: Api, *, request_id: str, timeout: timedelta, take_up: bool) -> None:
    """Wait until a request is decided, and taken up if so asked.

    Exit code 0 where it is approved or active, 1 where it is denied or over. Ctrl-C leaves it as it is.
    """
    request = wait_for_grant(api, request_id, timeout, take_up=take_up)
    api.show(request, lambda: print_request(request))


def wait_for_grant(api: Api, request_id: str, timeout: timedelta, *, take_up: bool) -> "Request":
    """The request once it is approved, or active; NotGrantedError where it is over."""
    try:
        with working(f"waiting for request {request_id}; Ctrl-C leaves it as it is"):
            request = api.client.wait(request_id, timeout=timeout)
            if take_up and request["status"] == "approved":
                request = api.client.take_up(request_id)
    except KeyboardInterrupt:
        api.say(f"the request stays as it is. Next: grant-broker wait {request_id}, or release {request_id}")
        raise
    if request["status"] not in {"approved", "active"}:
        raise NotGrantedError(request)
    return request
