"""`grant-broker keys`: what may be asked for; and for the security team which keys are managed, and how."""

import click

from grant_broker.client.api_command import Api, ApiCommand, DefaultGroup, yes_option
from grant_broker.client.key_editing import edit_document, send_document
from grant_broker.client.key_naming import get_path_id
from grant_broker.client.reviewing import print_document
from grant_broker.client.security_team import limits_of
from grant_broker.client.showing import print_offers
from grant_broker.client.tables import print_keys, print_proposals


@click.group("keys", cls=DefaultGroup)
def command() -> None:
    """List the keys that you may ask for; the security team sees and changes their limits."""


@command.command("list", cls=ApiCommand)
@click.pass_obj
def list_offers(api: Api) -> None:
    """List what your account may ask for."""
    offers = list(api.client.list_keys())
    api.show(offers, lambda: print_offers(offers))


@command.command("managed", cls=ApiCommand)
@click.pass_obj
def managed(api: Api) -> None:
    """List the managed keys with their limits."""
    keys = list(api.client.security.list_keys())
    api.show(keys, lambda: print_keys(keys))


@command.command("show", cls=ApiCommand)
@click.argument("key")
@click.pass_obj
def show(api: Api, *, key: str) -> None:
    """Show the limits of a key, by name, id or ARN."""
    document, _ = api.client.security.get_key(get_path_id(key, api.client.security.list_keys()))
    api.show(document, lambda: print_document(document))


@command.command("edit", cls=ApiCommand)
@click.argument("key")
@yes_option
@click.pass_obj
def edit(api: Api, *, key: str, yes: bool) -> None:
    """Open the limits of a key in $EDITOR; say what the change widens, and send it."""
    key_id = get_path_id(key, api.client.security.list_keys())
    shown, version = api.client.security.get_key(key_id)
    if not shown["may_decide"]:
        api.say("your role is no approver of this key: what you send will be refused")
    present = limits_of(shown)
    wanted = edit_document(present)
    if wanted is None:
        api.say("nothing changed")
    else:
        send_document(api, key_id, present, wanted, version=version, yes=yes)


@command.command("proposals", cls=ApiCommand)
@click.argument("key")
@click.pass_obj
def proposals(api: Api, *, key: str) -> None:
    """List the changes of a key's limits that wait for votes."""
    found = api.client.security.list_proposals(get_path_id(key, api.client.security.list_keys()))
    api.show(found, lambda: print_proposals(found))


@command.command("vote", cls=ApiCommand)
@click.argument("key")
@yes_option
@click.pass_obj
def vote(api: Api, *, key: str, yes: bool) -> None:
    """Vote for the oldest change of a key's limits that waits for votes."""
    key_id = get_path_id(key, api.client.security.list_keys())
    found = api.client.security.list_proposals(key_id)
    if not found:
        raise click.UsageError(f"no change of {key} waits for votes")
    shown, version = api.client.security.get_key(key_id)
    present = limits_of(shown)
    send_document(api, key_id, present, found[-1]["document"], version=version, yes=yes)


@command.command("close", cls=ApiCommand)
@click.argument("key")
@yes_option
@click.pass_obj
def close(api: Api, *, key: str, yes: bool) -> None:
    """Close a key to new grants; live ones run to their time."""
    key_id = get_path_id(key, api.client.security.list_keys())
    api.confirm(f"Close key {key} to new grants?", yes=yes)
    api.client.security.close_key(key_id)
    api.say(f"closed: {key}")
