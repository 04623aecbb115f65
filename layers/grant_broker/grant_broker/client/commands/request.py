"""`grant-broker request`: ask for a grant."""

from datetime import timedelta
from typing import TypedDict, Unpack

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.arguments import CONTEXT, ISO_SPAN, NAMES, SPAN, match_option
from grant_broker.client.asked import Submission
from grant_broker.client.commands.wait import wait_for_grant
from grant_broker.client.exit_codes import DONE, REFUSED
from grant_broker.client.key_naming import name_or_arn
from grant_broker.client.showing import print_forecast, print_request


class _Asked(TypedDict):
    """What is asked for, as the options say it."""

    key: str
    operations: list[str]
    context: tuple[tuple[str, str], ...]
    match: str
    duration: str
    reason: str
    ticket: str | None
    grantee: str | None
    starts_at: str | None


@click.command("request", cls=ApiCommand)
@click.option("--key", required=True, help="The key's name, id or ARN, as `grant-broker keys` lists them.")
@click.option("--operations", type=NAMES, default="Encrypt", show_default=True, help="KMS operations.")
@click.option("--context", type=CONTEXT, multiple=True, required=True, help="A pair that KMS must be given.")
@match_option
@click.option("--duration", type=ISO_SPAN, required=True, help="For how long, such as 2h.")
@click.option("--reason", required=True, help="Why, for the security team.")
@click.option("--ticket", help="Where it is written down on your side.")
@click.option("--grantee", metavar="ARN", help="Who is to use the key: a role, user or session; else you.")
@click.option("--starts-at", metavar="TIME", help="Not before this RFC 3339 time.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen, and why.")
@click.option("--wait", is_flag=True, help="Wait for the security team, and take the grant up.")
@click.option("--timeout", type=SPAN, default="1d", show_default=True, help="How long to wait at most.")
@click.pass_obj
def command(api: Api, *, dry_run: bool, wait: bool, timeout: timedelta, **asked: Unpack[_Asked]) -> int:
    """Ask for a grant. With --dry-run exit code 3 where it would be refused.

    \b
    For example:
      grant-broker request --key partner_data --context dataset=orders --duration 2h --reason "upload" --wait
    """
    submission = _submission(asked, key=name_or_arn(asked["key"], api.client.list_keys))
    if dry_run:
        forecast = api.client.forecast(**submission)
        api.show(forecast, lambda: print_forecast(forecast))
        return REFUSED if forecast["outcome"] == "refuse" else DONE
    request = api.client.submit(**submission)
    if wait and request["status"] != "active":
        api.say(f"asked: {request['id']}")
        request = wait_for_grant(api, request["id"], timeout, take_up=True)
    api.show(request, lambda: print_request(request))
    return DONE


def _submission(asked: _Asked, *, key: str) -> Submission:
    submission: Submission = {
        "key": key,
        "operations": asked["operations"],
        "encryption_context": dict(asked["context"]),
        "context_match": asked["match"],
        "duration": asked["duration"],
        "reason": asked["reason"],
        "ticket": asked["ticket"],
        "starts_at": asked["starts_at"],
    }
    return {**submission, "grantee": asked["grantee"]} if asked["grantee"] else submission
