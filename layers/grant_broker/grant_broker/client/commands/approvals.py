"""`grant-broker approvals`: what is approved ahead."""

from typing import TypedDict, Unpack

import click

from grant_broker.client.api_command import Api, ApiCommand, DefaultGroup, yes_option
from grant_broker.client.arguments import CONTEXT, ISO_SPAN, NAMES, WINDOW, match_option
from grant_broker.client.asked import StandingApproval, Window
from grant_broker.client.key_naming import name_or_arn
from grant_broker.client.tables import print_approvals


class _Asked(TypedDict):
    """What is to be approved ahead, as the options say it."""

    key: str
    account: str
    grantee: str | None
    operations: list[str]
    context: tuple[tuple[str, str], ...]
    match: str
    max_duration: str
    valid_from: str | None
    valid_until: str
    windows: tuple[Window, ...]
    reason: str


@click.group("approvals", cls=DefaultGroup)
def command() -> None:
    """List, make and withdraw standing approvals."""


@command.command("list", cls=ApiCommand)
@click.pass_obj
def list_them(api: Api) -> None:
    """List standing approvals, newest first."""
    approvals = list(api.client.security.list_approvals())
    api.show(approvals, lambda: print_approvals(approvals, api.managed_names))


@command.command("show", cls=ApiCommand)
@click.argument("approval_id", metavar="ID")
@click.pass_obj
def show(api: Api, *, approval_id: str) -> None:
    """Show one standing approval."""
    approval = api.client.security.get_approval(approval_id)
    api.show(approval, lambda: print_approvals([approval], api.managed_names))


@command.command("create", cls=ApiCommand)
@click.option("--key", required=True, help="The key's name, id or ARN.")
@click.option("--account", required=True, help="Whose requests.")
@click.option("--grantee", metavar="ARN", help="Only this one; else any of the account.")
@click.option("--operations", type=NAMES, default="Encrypt", show_default=True, help="At most these.")
@click.option("--context", type=CONTEXT, multiple=True, required=True, help="A pair that is required.")
@match_option
@click.option("--max-duration", type=ISO_SPAN, required=True, help="Each for at most so long, such as 2h.")
@click.option("--valid-from", metavar="TIME", help="From this RFC 3339 time on; else from now on.")
@click.option("--valid-until", metavar="TIME", required=True, help="Until this RFC 3339 time.")
@click.option(
    "--window",
    "windows",
    type=WINDOW,
    multiple=True,
    help="Only within these hours, such as 'mon-fri 22:00-06:00 Europe/Berlin'.",
)
@click.option("--reason", required=True, help="Why.")
@click.pass_obj
def create(api: Api, **asked: Unpack[_Asked]) -> None:
    """Approve ahead. With a quorum above 1 it waits for others' votes."""
    approval: StandingApproval = {
        "key": name_or_arn(asked["key"], api.client.security.list_keys),
        "account": asked["account"],
        "grantee": asked["grantee"],
        "operations": asked["operations"],
        "encryption_context": dict(asked["context"]),
        "context_match": asked["match"],
        "max_duration": asked["max_duration"],
        "valid_until": asked["valid_until"],
        "reason": asked["reason"],
    }
    if asked["windows"]:
        approval["windows"] = list(asked["windows"])
    if asked["valid_from"]:
        approval["valid_from"] = asked["valid_from"]
    made = api.client.security.approve_ahead(**approval)
    api.show(made, lambda: print_approvals([made], api.managed_names))


@command.command("approve", cls=ApiCommand)
@click.argument("approval_id", metavar="ID")
@click.option("--comment", default="", help="For the trail.")
@click.pass_obj
def approve(api: Api, *, approval_id: str, comment: str) -> None:
    """Vote for a standing approval that waits for votes."""
    _decide(api, approval_id, "approve", comment)


@command.command("deny", cls=ApiCommand)
@click.argument("approval_id", metavar="ID")
@click.option("--comment", required=True, help="Why, for the trail.")
@click.pass_obj
def deny(api: Api, *, approval_id: str, comment: str) -> None:
    """Deny a standing approval that waits for votes."""
    _decide(api, approval_id, "deny", comment)


def _decide(api: Api, approval_id: str, verdict: str, comment: str) -> None:
    approval = api.client.security.decide_on_approval(approval_id, verdict, comment=comment)
    api.show(approval, lambda: print_approvals([approval], api.managed_names))


@command.command("withdraw", cls=ApiCommand)
@click.argument("approval_id", metavar="ID")
@click.option("--revoke-active", is_flag=True, help="And end the live grants that it covered.")
@yes_option
@click.pass_obj
def withdraw(api: Api, *, approval_id: str, revoke_active: bool, yes: bool) -> None:
    """Withdraw a standing approval for good."""
    api.confirm(f"Withdraw standing approval {approval_id} for good?", yes=yes)
    api.client.security.withdraw_approval(approval_id, revoke_active=revoke_active)
    api.say(f"withdrawn: {approval_id}")
