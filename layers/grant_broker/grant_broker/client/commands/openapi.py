"""`grant-broker openapi`: the HTTP API as an OpenAPI 3.1 document, for clients, gateways and fuzzers."""

import sys

import click

from grant_broker.api.openapi.document import text


@click.command("openapi")
def command() -> int:
    """Print the OpenAPI document of the HTTP API."""
    sys.stdout.write(text())
    return 0
