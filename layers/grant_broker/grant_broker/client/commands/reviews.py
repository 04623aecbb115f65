"""`grant-broker reviews`: what the security team owes a look, and signing it off."""

import click

from grant_broker.client.api_command import Api, ApiCommand, DefaultGroup
from grant_broker.client.tables import print_owed


@click.group("reviews", cls=DefaultGroup)
def command() -> None:
    """List what is owed a look by somebody else, and sign it off."""


@command.command("list", cls=ApiCommand)
@click.pass_obj
def list_reviews(api: Api) -> None:
    """List what is owed, newest first."""
    found = list(api.client.security.list_reviews())
    api.show(found, lambda: print_owed(found, api.managed_names))


@command.command("sign-off", cls=ApiCommand)
@click.argument("kind")
@click.argument("review_id", metavar="ID")
@click.option("--comment", required=True, help="What was found.")
@click.pass_obj
def sign_off(api: Api, *, kind: str, review_id: str, comment: str) -> None:
    """Sign off what somebody else did: of a break-glass its request's id."""
    signed = api.client.security.sign_off(kind, review_id, comment=comment)
    api.show(signed, lambda: print(f"signed off: {kind} {review_id}"))
