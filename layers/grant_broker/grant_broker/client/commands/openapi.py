"""`grant-broker openapi`: the HTTP API as an OpenAPI 3.1 document, for clients, gateways and fuzzers."""

import argparse
import sys

from grant_broker.api.openapi.document import text


def configure(_parser: argparse.ArgumentParser) -> None:
    """There is nothing to declare."""


def run(_options: argparse.Namespace) -> int:
    """Print the document."""
    sys.stdout.write(text())
    return 0
