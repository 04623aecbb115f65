"""`grant-broker revocations`: the kill switch, and what is beyond it."""

import json
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from grant_broker.client.api_command import Api, ApiCommand, DefaultGroup, yes_option
from grant_broker.client.arguments import ACCOUNT, GRANTEE, ISO_SPAN, SPAN, key_arn_argument
from grant_broker.client.exit_codes import DONE, NO_ANSWER, WRONG_USAGE
from grant_broker.client.key_naming import name_or_arn
from grant_broker.client.panic import Panic
from grant_broker.client.printing import printable, working
from grant_broker.client.tables import print_revocations
from grant_broker.domain.arns import account_of

if TYPE_CHECKING:
    from grant_broker.api.shapes.revocations import MassRevocation

_PAUSE = 1.0  # seconds between two looks


class _Asked(TypedDict):
    """What `create` was given."""

    key: str | None
    account: str | None
    grantee: str | None
    everything: bool
    reason: str
    block_for: str | None
    wait: bool
    timeout: timedelta
    yes: bool


@click.group("revocations", cls=DefaultGroup)
def command() -> None:
    """The kill switch: end and block all that a key, an account or a grantee holds."""


@command.command("list", cls=ApiCommand)
@click.pass_obj
def list_them(api: Api) -> None:
    """List mass revocations, newest first."""
    found = list(api.client.security.list_revocations())
    api.show(found, lambda: print_revocations(found))


@command.command("show", cls=ApiCommand)
@click.argument("revocation_id", metavar="ID")
@click.pass_obj
def show(api: Api, *, revocation_id: str) -> None:
    """Show how far one is, and what it blocks."""
    found = api.client.security.get_revocation(revocation_id)
    api.show(found, lambda: print_revocations([found]))


@command.command("create", cls=ApiCommand)
@click.option("--key", help="Grants on this key: its name, id or ARN.")
@click.option("--account", help="Grants of this account's principals.")
@click.option("--grantee", metavar="ARN", help="Grants of this role or user.")
@click.option("--all", "everything", is_flag=True, help="All grants of the broker.")
@click.option("--reason", required=True, help="Why, for the requesters and the trail.")
@click.option("--block-for", type=ISO_SPAN, help="Block new ones for so long; else until lifted.")
@click.option("--wait", is_flag=True, help="Wait until all that matched has ended.")
@click.option("--timeout", type=SPAN, default="15m", show_default=True, help="With --wait, for how long.")
@yes_option
@click.pass_obj
def create(api: Api, **asked: Unpack[_Asked]) -> int:
    """End all that every given selector matches, and block it. Exit code 4: not all has ended in time."""
    key = asked["key"] and name_or_arn(asked["key"], api.client.security.list_keys)
    given = {"key": key, "account": asked["account"], "grantee": asked["grantee"]}
    chosen = " and ".join(f"{name} {value}" for name, value in given.items() if value)
    if not chosen and not asked["everything"]:
        raise click.UsageError("give at least one of --key, --account, --grantee and --all")
    api.confirm(f"End and block all grants of {chosen or 'everybody'} now?", yes=asked["yes"])
    made = api.client.security.revoke_many(
        key=key,
        account=asked["account"],
        grantee=asked["grantee"],
        all=asked["everything"] or None,
        reason=asked["reason"],
        block_for=asked["block_for"],
    )
    found = api.client.security.get_revocation(made["id"])
    if asked["wait"]:
        found = wait_until_ended(api, found, asked["timeout"])
    api.show(found, lambda: print_revocations([found]))
    return NO_ANSWER if asked["wait"] and found["left"] else DONE


def wait_until_ended(api: Api, found: "MassRevocation", timeout: timedelta) -> "MassRevocation":
    """Look at a mass revocation until nothing is left of it, or the time is over; as it is then."""
    deadline = time.monotonic() + timeout.total_seconds()
    with working("waiting for the grants to end; Ctrl-C leaves them ending"):
        while found["left"] and time.monotonic() < deadline:
            time.sleep(_PAUSE)
            found = api.client.security.get_revocation(found["id"])
    return found


@command.command("lift", cls=ApiCommand)
@click.argument("revocation_id", metavar="ID")
@yes_option
@click.pass_obj
def lift(api: Api, *, revocation_id: str, yes: bool) -> None:
    """Lift its block: grants may be asked for again. What was to end ends all the same."""
    api.confirm(f"Let grants be asked for again that revocation {revocation_id} blocks?", yes=yes)
    api.client.security.lift_block(revocation_id)
    api.say(f"lifted: {revocation_id}")


@command.command("panic")
@key_arn_argument
@click.option(
    "--account",
    "accounts",
    type=ACCOUNT,
    multiple=True,
    help="An account, all of it; repeat it for more.",
)
@click.option("--grantee", "grantees", type=GRANTEE, multiple=True, help="A role or user; likewise.")
@click.option("--merge", type=click.Path(path_type=Path), help="Print this policy with the Denies in it.")
def panic(*, key_arn: str, accounts: tuple[str, ...], grantees: tuple[str, ...], merge: Path | None) -> int:
    """Print what a key's administrator can do at once, without the broker: Deny, and disable the key.

    A Deny in the key's policy makes grants useless whatever their number, within seconds as AWS spreads
    policies. It asks neither the broker nor AWS anything.
    """
    if not accounts and not grantees:
        raise click.UsageError("give --account or --grantee, as many as you like")
    if account_of(key_arn) in accounts:
        raise click.UsageError("that is the key's own account, administrators included: name its --grantee")
    found = Panic(key_arn, accounts, grantees)
    if merge is None:
        print(json.dumps(found.statements, indent=2))
        print("\n".join(found.commands))
        return DONE
    try:
        print(found.merged(merge.read_text("utf-8")))
    except (OSError, ValueError) as error:
        print(f"grant-broker revocations panic: {printable(str(error))}", file=sys.stderr)
        return WRONG_USAGE
    return DONE
