"""`grant-broker audit events`: the audit trail by the API, for the security team."""

from itertools import islice
from typing import Unpack

import click

from grant_broker.client.api_command import Api, ApiCommand
from grant_broker.client.asked import EventFilters
from grant_broker.client.key_naming import name_or_arn
from grant_broker.client.tables import print_events


@click.command("events", cls=ApiCommand)
@click.option("--request", help="Of this request.")
@click.option("--key", help="About this key: its name, id or ARN.")
@click.option("--account", help="About this account.")
@click.option("--type", help="Of this type, such as approved.")
@click.option("--by", help="By this person's ARN, or this function.")
@click.option("--since", metavar="TIME", help="From this RFC 3339 time on.")
@click.option("--until", metavar="TIME", help="Before this RFC 3339 time.")
@click.option("--order", type=click.Choice(["oldest", "newest"]), default="newest", show_default=True)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")
@click.pass_obj
def events(api: Api, *, limit: int, **filters: Unpack[EventFilters]) -> None:
    """List audit events, as the broker shows them to the security team."""
    if key := filters["key"]:
        filters["key"] = name_or_arn(key, api.client.security.list_keys)
    found = list(islice(api.client.security.list_events(**filters), limit))
    api.show(found, lambda: print_events(found))
