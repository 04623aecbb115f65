"""`grant-broker openapi`: the HTTP API as an OpenAPI 3.1 document, for clients, gateways and fuzzers."""

import sys

import click

from grant_broker.api.openapi.document import text
from grant_broker.api.openapi.partner_events import text as partner_events_text


@click.command("openapi")
@click.option("--partner-events", is_flag=True, help="The JSON Schema of what partners' buses are told.")
def command(*, partner_events: bool) -> int:
    """Print the OpenAPI document of the HTTP API."""
    sys.stdout.write(partner_events_text() if partner_events else text())
    return 0
