"""The session of a command that asks AWS itself: `--profile` and `--region`, else the environment's."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import click
from botocore.session import Session

from grant_broker.aws.clients import Clients

Command = TypeVar("Command", bound=Callable[..., object])
_GIVEN = "grant_broker.aws_session"


def session_options(command: Command) -> Command:
    """Declare `--profile` and `--region`, for `clients` and `get_profile`; the command gets neither."""
    region = "The Region of the stack and its tables; a key's own is in its ARN."
    for name, words in (("region", region), ("profile", "The AWS profile to sign with.")):
        command = click.option(f"--{name}", expose_value=False, callback=_remember, help=words)(command)
    return command


def clients() -> Clients:
    """Return the clients of the session that the command was told. botocore's errors pass."""
    region = _given().get("region")
    create = Session(profile=get_profile()).create_client
    return Clients(partial(create, region_name=region) if region else create)


def get_profile() -> str | None:
    """Return the profile that the command was told; None where it was told none."""
    return _given().get("profile")


def _remember(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None and param.name:
        ctx.meta.setdefault(_GIVEN, {})[param.name] = value


def _given() -> dict[str, str]:
    found: dict[str, str] = click.get_current_context().meta.get(_GIVEN, {})
    return found
