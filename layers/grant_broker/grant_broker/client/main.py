"""`grant-broker`: assembles the subcommands. Each is a module with `configure(parser)` and `run(options)`."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import cast

# Only the subcommand that was asked for is imported: most need boto3, which takes longer than they do.
_COMMANDS = {
    "access": "report who can use or manage a key, and by what, with the AWS credentials at hand",
    "audit": "export the audit trail, or verify its hash chains",
    "key-policy": "print what a key's policy must say for the broker, as a change of its present policy",
    "openapi": "print the OpenAPI document of the HTTP API",
    "replay": "publish audit events to EventBridge again, after a failure or for a new consumer",
    "simulate": "decide KMS calls by the policies and grants given with each, without AWS",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="grant-broker", description="Time-boxed AWS KMS grants.")
    subcommands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, summary in _COMMANDS.items():
        subparser = subcommands.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
        if words[:1] == [name]:
            command = import_module(f"grant_broker.client.commands.{name.replace('-', '_')}")
            command.configure(subparser)
            subparser.set_defaults(run=command.run)
    options = parser.parse_args(words)
    return cast("int", options.run(options))
